// Checkpoint files: written and read again, one of the reference implementation, and damaged ones.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { float32Tensor, int8Tensor, toFloat32Array } from '../../../../src/toolkit/graph/tensor-data.js';
import { CheckpointError } from '../../../../src/toolkit/training/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../../../src/toolkit/training/run/safetensors.js';
import { projectUrl } from '../../../helpers/project.js';
import { mulberry32 } from '../../../helpers/seeded-values.js';

const example = {
  metadata: { format: 'quati-checkpoint-1', note: 'ü "quoted"' },
  tensors: new Map([
    ['conv1.weight', float32Tensor([1, -2.5, 1e-45, -0], [1, 4])],
    ['scalar', float32Tensor([7], [])],
    ['nothing', float32Tensor([], [0, 3])],
    ['moment1/conv1.weight', float32Tensor([0.1, 0.2], [2, 1])],
  ]),
};

/** A file with that header, as text, and so many zeros of data. */
function fileWith(header: string, dataBytes = 0): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

t.test('metadata and tensors are unchanged after writing and reading, in their order', async (t) => {
  const { metadata, tensors } = decodeSafetensors(encodeSafetensors(example), 'file');
  t.same(metadata, example.metadata);
  t.same([...tensors.keys()], [...example.tensors.keys()]);
  for (const [name, { dims, bytes }] of example.tensors) {
    t.same(tensors.get(name)?.dims, dims);
    t.same(Buffer.from(tensors.get(name)?.bytes ?? []), Buffer.from(bytes), name);
  }
});

t.test('a file of the reference implementation is read', async (t) => {
  const file = new URL('test/fixtures/safetensors/tiny.safetensors', projectUrl);
  const { metadata, tensors } = decodeSafetensors(await readFile(file), 'tiny.safetensors');
  t.same({ ...metadata }, { step: '12', note: 'é' });
  const read = (name: string) => {
    const tensor = tensors.get(name);
    return tensor && [tensor.dims, [...toFloat32Array(tensor)]];
  };
  t.same(read('weight'), [[2, 3], [...Float32Array.of(1.5, -2, 0, 1e-45, 3.4e38, -0)]]);
  t.same(read('bias'), [[3], [...Float32Array.of(0.1, 0.2, 0.3)]]);
  t.same(read('scalar'), [[], [7]]);
  t.same(read('naïve/name'), [[2, 0, 3], []]);
});

t.test('the header is padded so that the data starts at a multiple of eight bytes', async (t) => {
  for (const note of ['', 'a', 'ab', 'abcdefg']) {
    const bytes = Buffer.from(encodeSafetensors({ ...example, metadata: { note } }));
    t.equal(Number(bytes.readBigUInt64LE()) % 8, 0);
  }
});

t.test('types other than float32 are not written', async (t) => {
  const tensors = new Map([['zero', int8Tensor([1], [1])]]);
  t.throws(() => encodeSafetensors({ metadata: {}, tensors }), {
    name: 'CheckpointError',
    message: 'zero: expected float32, got int8',
  });
});

const whole = Buffer.from(encodeSafetensors(example));
const entry = (parts: object) =>
  JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...parts } });

const refused: readonly [string, Buffer, RegExp][] = [
  ['no bytes', Buffer.alloc(0), /^bad: not a safetensors file: header of 0 bytes$/],
  ['a header cut off', whole.subarray(0, 40), /^bad: not a safetensors file: header of \d+ bytes$/],
  ['data cut off', whole.subarray(0, -3), /^bad: moment1\/conv1\.weight: \[2, 1\] needs 8 bytes, got 5$/],
  ['a header that is not JSON', fileWith('{"w": '), /^bad: not a safetensors file: /],
  ['a header that is no object', fileWith('null'), /^bad: not a safetensors file: /],
  ['a header that is a list', fileWith('[1]'), /^bad: /],
  ['another type', fileWith(entry({ dtype: 'F16' }), 8), /^bad: w: expected F32, got F16$/],
  ['a shape of another size', fileWith(entry({ shape: [3] }), 8), /^bad: w: \[3\] needs 12 bytes, got 8$/],
  ['offsets before the data', fileWith(entry({ data_offsets: [-8, 0] }), 8), /^bad: w: /],
  ['offsets that are no numbers', fileWith(entry({ data_offsets: ['0', '8'] }), 8), /^bad: w: /],
  ['an entry without offsets', fileWith('{"w":{"dtype":"F32","shape":[2]}}', 8), /^bad: w: /],
  ['an entry without a shape', fileWith('{"w":{"dtype":"F32","data_offsets":[0,8]}}', 8), /^bad: w: /],
  ['an entry that is nothing', fileWith('{"w":null}', 8), /^bad: w: /],
  ['metadata that is no text', fileWith('{"__metadata__":{"step":1}}'), /^bad: /],
  [
    'an endless header',
    Buffer.from('ffffffffffffff7f7b7d', 'hex'),
    /^bad: not a safetensors file: header of/,
  ],
];

for (const [title, bytes, message] of refused)
  t.test(`${title} is refused, with file and tensor`, async (t) => {
    t.throws(() => decodeSafetensors(bytes, 'bad'), { name: 'CheckpointError', message });
  });

t.test('a file with changed bytes in its header is either refused by its name or still read', async (t) => {
  const random = mulberry32(1);
  const headerEnd = 8 + Number(whole.readBigUInt64LE());
  const escaped = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    const damaged = Buffer.from(whole);
    damaged[Math.floor(random() * headerEnd)] = 32 + Math.floor(random() * 96);
    try {
      decodeSafetensors(damaged, 'bad');
    } catch (error) {
      if (!(error instanceof CheckpointError) || !error.message.startsWith('bad: '))
        escaped.add(String(error));
    }
  }
  t.same([...escaped], []);
});
