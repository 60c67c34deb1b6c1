// Graph ⇄ the bytes of an .onnx file.
import onnxProto from 'onnx-proto';
import { GraphError } from './errors.js';
import {
  type Attribute,
  type Attributes,
  type DataType,
  type Graph,
  type Node,
  opset,
  type TensorData,
  type TensorType,
  type Value,
} from './graph.js';
import { byteLength } from './tensor-data.js';

const { onnx } = onnxProto;
type Proto = typeof onnx;

const irVersion = 8;
const elementTypes: Record<DataType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
const dataTypes = new Map(Object.entries(elementTypes).map(([name, code]) => [code, name as DataType]));
const externalLocation = 1;
const int32Arrays: Partial<
  Record<DataType, { from(values: ArrayLike<number>): Int32Array | Int8Array | Uint8Array | Uint16Array }>
> = { int32: Int32Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array, float16: Uint16Array };
const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

/** The operator sets a node's domain belongs to; ONNX Runtime wants a version for each. */
function opsetImports(graph: Graph): { domain: string; version: number }[] {
  const domains = new Set(['', ...graph.nodes.map((node) => node.domain)]);
  return [...domains].map((domain) => ({ domain, version: domain === '' ? opset : 1 }));
}

export function encodeOnnx(graph: Graph, producerName = 'quati'): Uint8Array {
  const model = onnx.ModelProto.fromObject({
    irVersion,
    producerName,
    opsetImport: opsetImports(graph),
    graph: {
      name: graph.name,
      node: graph.nodes.map(nodeToProto),
      initializer: [...graph.initializers].map(([name, data]) => ({ name, ...tensorToProto(data) })),
      input: graph.inputs.map(valueToProto),
      output: graph.outputs.map(valueToProto),
    },
  });
  return onnx.ModelProto.encode(model).finish();
}

function valueToProto({ name, type }: Value): object {
  const dim = type.shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: elementTypes[type.dataType], shape: { dim } } } };
}

function tensorToProto(data: TensorData): object {
  return { dims: data.dims, dataType: elementTypes[data.dataType], rawData: data.bytes };
}

function nodeToProto(node: Node): object {
  const attribute = Object.entries(node.attributes).map(([name, value]) => attributeToProto(name, value));
  return {
    opType: node.op,
    domain: node.domain,
    ...(node.name !== '' && { name: node.name }),
    input: node.inputs,
    output: node.outputs,
    attribute,
  };
}

function attributeToProto(name: string, attribute: Attribute): object {
  if ('int' in attribute) return { name, type: attributeTypes.int, i: attribute.int };
  if ('float' in attribute) return { name, type: attributeTypes.float, f: attribute.float };
  if ('ints' in attribute) return { name, type: attributeTypes.ints, ints: attribute.ints };
  if ('floats' in attribute) return { name, type: attributeTypes.floats, floats: attribute.floats };
  if ('string' in attribute) return { name, type: attributeTypes.string, s: Buffer.from(attribute.string) };
  return { name, type: attributeTypes.tensor, t: tensorToProto(attribute.tensor) };
}

/**
 * Reads a model; `file` names it in errors. Value types are those the file states: infer the rest with `inferTypes`.
 * Nodes are as the file spells them: `importOnnx` is for models that others wrote.
 * @throws GraphError when the bytes are no ONNX model, or hold data kinds that Quati does not know.
 */
export function decodeOnnx(bytes: Uint8Array, file = 'model'): Graph {
  return readOnnx(bytes, file).graph;
}

/** The graph, and the version of ONNX's operator set that its nodes are of. */
export function readOnnx(bytes: Uint8Array, file: string): { graph: Graph; opset: number } {
  const model = decodeModel(bytes, file);
  const own = (model.opsetImport ?? []).find(({ domain }) => !domain || domain === 'ai.onnx');
  return { graph: graphFromProto(model.graph, file), opset: Number(own?.version ?? opset) };
}

function decodeModel(bytes: Uint8Array, file: string): InstanceType<Proto['ModelProto']> {
  try {
    return onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new GraphError(`${file}: not an ONNX model: ${(cause as Error).message}`, { cause });
  }
}

function graphFromProto(proto: InstanceType<Proto['ModelProto']>['graph'], file: string): Graph {
  if (!proto?.node?.length) throw new GraphError(`${file}: not an ONNX model: it has no graph`);
  const initializers = new Map(
    (proto.initializer ?? []).map((tensor) => [tensor.name ?? '', tensorFromProto(tensor, file)]),
  );
  const inputs = (proto.input ?? []).map((value) => valueFromProto(value, file));
  const outputs = (proto.output ?? []).map((value) => valueFromProto(value, file));
  const types = new Map<string, TensorType>();
  for (const value of [...inputs, ...outputs]) types.set(value.name, value.type);
  for (const [name, data] of initializers) types.set(name, { dataType: data.dataType, shape: data.dims });
  return {
    name: proto.name ?? 'graph',
    inputs: inputs.filter((input) => !initializers.has(input.name)),
    outputs,
    initializers,
    nodes: proto.node.map((node, index) => nodeFromProto(node, index, file)),
    types,
  };
}

function valueFromProto(value: InstanceType<Proto['ValueInfoProto']> | object, file: string): Value {
  const { name, type } = value as InstanceType<Proto['ValueInfoProto']>;
  const tensor = type?.tensorType;
  const shape = (tensor?.shape?.dim ?? []).map((dim) =>
    dim.dimParam ? dim.dimParam : dim.dimValue ? Number(dim.dimValue) : '?',
  );
  return { name, type: { dataType: dataTypeOf(tensor?.elemType, `${file}: ${name}`), shape } };
}

function dataTypeOf(code: number | null | undefined, where: string): DataType {
  const dataType = dataTypes.get(code ?? 0);
  if (!dataType) throw new GraphError(`${where}: element type ${code} is not supported`);
  return dataType;
}

function tensorFromProto(tensor: object, file: string): TensorData {
  const proto = tensor as InstanceType<Proto['TensorProto']>;
  const where = `${file}: tensor ${proto.name}`;
  const dims = (proto.dims ?? []).map(Number);
  const dataType = dataTypeOf(proto.dataType, where);
  if (Number(proto.dataLocation) === externalLocation) {
    throw new GraphError(`${where}: is stored in another file, which is not supported`);
  }
  const bytes = elementBytes(proto, dataType);
  if (bytes.byteLength !== byteLength(dataType, dims)) {
    throw new GraphError(
      `${where}: ${dataType}[${dims.join(', ')}] needs ${byteLength(dataType, dims)} bytes, got ${bytes.byteLength}`,
    );
  }
  return { dataType, dims, bytes };
}

/** ONNX keeps elements as raw bytes, or in a field of numbers: int32_data for every type of at most 32 bits. */
function elementBytes(proto: InstanceType<Proto['TensorProto']>, dataType: DataType): Uint8Array {
  const { floatData = [], int64Data = [], int32Data = [] } = proto;
  if (dataType === 'float32' && floatData?.length) return bytesOf(Float32Array.from(floatData));
  if (dataType === 'int64' && int64Data?.length) {
    return bytesOf(BigInt64Array.from(int64Data, (value) => BigInt(String(value))));
  }
  const narrow = int32Arrays[dataType];
  if (narrow && int32Data?.length) return bytesOf(narrow.from(int32Data));
  return proto.rawData ?? new Uint8Array();
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function nodeFromProto(node: object, index: number, file: string): Node {
  const proto = node as InstanceType<Proto['NodeProto']>;
  const op = proto.opType ?? '';
  return {
    op,
    domain: proto.domain === 'ai.onnx' ? '' : (proto.domain ?? ''),
    name: proto.name ? proto.name : `${op}_${index}`,
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: Object.fromEntries(
      (proto.attribute ?? []).map((attribute) => [attribute.name ?? '', attributeFromProto(attribute, file)]),
    ) as Attributes,
  };
}

function attributeFromProto(attribute: object, file: string): Attribute {
  const proto = attribute as InstanceType<Proto['AttributeProto']>;
  switch (proto.type as number) {
    case attributeTypes.int:
      return { int: Number(proto.i) };
    case attributeTypes.float:
      return { float: proto.f };
    case attributeTypes.ints:
      return { ints: (proto.ints ?? []).map(Number) };
    case attributeTypes.floats:
      return { floats: proto.floats ?? [] };
    case attributeTypes.string:
      return { string: Buffer.from(proto.s).toString() };
    case attributeTypes.tensor:
      return { tensor: tensorFromProto(proto.t ?? {}, file) };
    default:
      throw new GraphError(`${file}: attribute ${proto.name} has type ${proto.type}, which is not supported`);
  }
}
