// Graphs → the bytes of an .onnx file → graphs; files of other tools, and damaged ones.
import type { MessageInitShape } from '@bufbuild/protobuf';
import t from 'tap';
import { loadRuntime } from '../../../src/inference/workers/runtime.js';
import { GraphBuilder } from '../../../src/toolkit/graph/builder.js';
import { GraphError } from '../../../src/toolkit/graph/errors.js';
import type { Attributes, Graph, TensorData } from '../../../src/toolkit/graph/graph.js';
import { decodeOnnx, encodeOnnx } from '../../../src/toolkit/graph/onnx.js';
import type { NodeProtoSchema, TensorProtoSchema } from '../../../src/toolkit/graph/proto/onnx_pb.js';
import { inferTypes } from '../../../src/toolkit/graph/shape-inference.js';
import {
  float32Tensor,
  int8Tensor,
  int32Tensor,
  int64Tensor,
  toFloat32Array,
  toIntegers,
  uint8Tensor,
} from '../../../src/toolkit/graph/tensor-data.js';
import { onnxFile } from '../../helpers/onnx-file.js';
import { mulberry32 } from '../../helpers/seeded-values.js';

const attributes: Attributes = {
  int: { int: 3 },
  zero: { int: 0 },
  negative: { int: -1 },
  large: { int: 2 ** 40 },
  float: { float: -0.25 },
  ints: { ints: [0, -7, 2 ** 33] },
  noInts: { ints: [] },
  floats: { floats: [0, 1.5, -2] },
  string: { string: 'SAME_UPPER – é' },
  empty: { string: '' },
  tensor: { tensor: float32Tensor([1, 2, 3], [3]) },
};

const tensors: Readonly<Record<string, TensorData>> = {
  float32: float32Tensor([1.5, -0, Number.POSITIVE_INFINITY, 1e-45], [2, 2]),
  float16: { dataType: 'float16', dims: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0xc0) },
  uint8: uint8Tensor([0, 255], [2]),
  int8: int8Tensor([-128, 127], [2, 1]),
  int32: int32Tensor([-(2 ** 31), 5], [2]),
  int64: int64Tensor([Number.MIN_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER]),
  bool: { dataType: 'bool', dims: [2], bytes: Uint8Array.of(0, 1) },
  scalar: float32Tensor([7], []),
  none: float32Tensor([], [0]),
};

function example(): Graph {
  const builder = new GraphBuilder('example');
  const x = builder.input('x', ['N', 2]);
  for (const [name, data] of Object.entries(tensors)) builder.initializer(name, data);
  builder.ops('Clip', [x, undefined, builder.value('scalar')], 1, {
    name: 'with a gap',
    outputs: ['y'],
    attributes,
  });
  builder.ops('Relu', [builder.value('y')], 1, { outputs: ['z'] });
  builder.output(builder.value('z'));
  return builder.build();
}

/** Maps as lists and bytes as hexadecimal digits, whether they are Buffers or plain Uint8Arrays. */
function plain(graph: Graph): unknown {
  const tensor = ({ bytes, ...rest }: TensorData) => ({ ...rest, bytes: Buffer.from(bytes).toString('hex') });
  return {
    ...graph,
    types: [...graph.types].sort(),
    initializers: [...graph.initializers].map(([name, data]) => [name, tensor(data)]),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.entries(node.attributes).map(([name, value]) => [
        name,
        'tensor' in value ? tensor(value.tensor) : value,
      ]),
    })),
  };
}

t.test(
  'every kind of attribute, every data type and absent inputs are unchanged after writing and reading',
  async (t) => {
    const graph = example();
    t.same(plain(inferTypes(decodeOnnx(encodeOnnx(graph), 'example.onnx'))), plain(graph));
  },
);

t.test('encoding a decoded file gives the same bytes', async (t) => {
  const bytes = encodeOnnx(example());
  t.same(Buffer.from(encodeOnnx(decodeOnnx(bytes))), Buffer.from(bytes));
});

t.test('ONNX Runtime loads encoded models, with a dynamic batch', async (t) => {
  const builder = new GraphBuilder('any batch');
  const x = builder.input('x', ['N', 3]);
  builder.output(builder.op('Add', [x, builder.floats([1, 2, 3], [3])]), 'y');
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(builder.build()));
  for (const rows of [1, 4]) {
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array(rows * 3), [rows, 3]) });
    t.same(y?.dims, [rows, 3]);
  }
  await session.release();
});

type TensorInit = Exclude<MessageInitShape<typeof TensorProtoSchema>, { $typeName: string }>;
type NodeInit = Exclude<MessageInitShape<typeof NodeProtoSchema>, { $typeName: string }>;

/** A file as other tools write it: Relu of an initializer that is stored in its own way. */
function fileWith(tensor: TensorInit, node: NodeInit = {}): Uint8Array {
  return onnxFile({
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'other',
      initializer: [{ name: 'w', ...tensor }],
      node: [{ opType: 'Relu', input: ['w'], output: ['y'], ...node }],
      output: [
        { name: 'y', type: { value: { case: 'tensorType', value: { elemType: 1, shape: { dim: [{}] } } } } },
      ],
    },
  });
}

const weight = (bytes: Uint8Array) => decodeOnnx(bytes, 'other.onnx').initializers.get('w') as TensorData;

t.test('initializers are read from typed fields and from raw bytes', async (t) => {
  const floats = weight(fileWith({ dims: [2n, 1n], dataType: 1, floatData: [0.5, -3] }));
  t.same(floats.dims, [2, 1]);
  t.same(toFloat32Array(floats), Float32Array.of(0.5, -3));
  const int64 = weight(fileWith({ dims: [2n], dataType: 7, int64Data: [-(2n ** 40n), 9n] }));
  t.same(toIntegers(int64), [-(2 ** 40), 9]);
  for (const [dataType, values] of [
    [6, [-70000, 1]],
    [3, [-128, 127]],
    [2, [0, 255]],
    [9, [0, 1]],
  ] as const)
    t.same(
      toIntegers(weight(fileWith({ dims: [2n], dataType, int32Data: [...values] }))),
      values,
      `type ${dataType}`,
    );
});

t.test('float data at an odd offset in the file is read correctly', async (t) => {
  const bytes = fileWith({ dims: [2n], dataType: 1, rawData: Buffer.from(Float32Array.of(1, 2).buffer) });
  for (const shift of [0, 1, 2, 3]) {
    const moved = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
    t.same([...toFloat32Array(weight(moved))], [1, 2]);
  }
});

t.test('nodes without a name get one', async (t) => {
  const { nodes } = decodeOnnx(fileWith({ dims: [0n], dataType: 1 }, { domain: 'ai.onnx' }));
  t.equal(nodes[0]?.name, 'Relu_0');
  t.equal(nodes[0]?.domain, '', 'and the default domain its short form');
});

const refused: readonly [string, Uint8Array, RegExp][] = [
  ['text', Buffer.from('not a model'), /^bad\.onnx: not an ONNX model/],
  ['no bytes', new Uint8Array(), /^bad\.onnx: not an ONNX model: it has no graph$/],
  [
    'an initializer with too few raw bytes',
    fileWith({ dims: [3n], dataType: 1, rawData: Buffer.alloc(8) }),
    /^bad\.onnx: tensor w: float32\[3\] needs 12 bytes, got 8$/,
  ],
  [
    'an initializer with too few typed values',
    fileWith({ dims: [3n], dataType: 1, floatData: [1, 2] }),
    /^bad\.onnx: tensor w: float32\[3\] needs 12 bytes, got 8$/,
  ],
  [
    'an element type that Quati does not know',
    fileWith({ dims: [1n], dataType: 11, doubleData: [1] }),
    /^bad\.onnx: tensor w: element type 11 is not supported$/,
  ],
  [
    'weights in another file',
    fileWith({
      dims: [1n],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'w.bin' }],
    }),
    /^bad\.onnx: tensor w: its data is in another file, which is not supported; put it into the model$/,
  ],
  [
    'an attribute that holds a graph',
    fileWith({ dims: [1n], dataType: 1, floatData: [1] }, { attribute: [{ name: 'body', type: 5 }] }),
    /^bad\.onnx: attribute body has type 5, which is not supported$/,
  ],
];

for (const [title, bytes, message] of refused)
  t.test(`${title} is refused, with the name of the file`, async (t) => {
    t.throws(() => decodeOnnx(bytes, 'bad.onnx'), { name: 'GraphError', message });
  });

t.test('a truncated or changed file is either refused by its name or still a graph', async (t) => {
  const bytes = encodeOnnx(example());
  const random = mulberry32(1);
  const damaged = [
    ...Array.from(bytes, (_, length) => bytes.slice(0, length)),
    ...Array.from({ length: 500 }, () => {
      const copy = bytes.slice();
      copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      return copy;
    }),
  ];
  const escaped = damaged.flatMap((file) => {
    try {
      decodeOnnx(file, 'bad.onnx');
      return [];
    } catch (error) {
      return error instanceof GraphError && error.message.startsWith('bad.onnx: ') ? [] : [String(error)];
    }
  });
  t.same([...new Set(escaped)], []);
});
