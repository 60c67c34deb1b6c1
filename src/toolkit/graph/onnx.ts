// Graph ⇄ the bytes of an .onnx file.
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { GraphError } from './errors.js';
import {
  type Attribute,
  type DataType,
  type Graph,
  type Node,
  opset,
  type TensorData,
  type TensorType,
  type Value,
} from './graph.js';
import { spellForOpset } from './newer-opsets.js';
import {
  type AttributeProto,
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as ElementType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  type ValueInfoProto,
  type ValueInfoProtoSchema,
} from './proto/onnx_pb.js';
import { hasRule } from './shape-inference.js';
import { byteLength } from './tensor-data.js';

const irVersion = 8n;
const elementTypes: Record<DataType, ElementType> = {
  float32: ElementType.FLOAT,
  uint8: ElementType.UINT8,
  int8: ElementType.INT8,
  int32: ElementType.INT32,
  int64: ElementType.INT64,
  bool: ElementType.BOOL,
  float16: ElementType.FLOAT16,
};
const dataTypes = new Map(Object.entries(elementTypes).map(([name, code]) => [code, name as DataType]));
const int32Arrays: Partial<
  Record<DataType, { from(values: ArrayLike<number>): Int32Array | Int8Array | Uint8Array | Uint16Array }>
> = { int32: Int32Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array, float16: Uint16Array };

/** The operator set is Quati's own, or that of the newest operator without a rule. */
export function encodeOnnx(written: Graph, producerName = 'quati'): Uint8Array {
  const version = Math.max(opset, ...written.nodes.map(({ foreign }) => foreign?.opset ?? 0));
  const graph = spellForOpset(written, version);
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName,
    opsetImport: opsetImports(graph, version),
    graph: {
      name: graph.name,
      node: graph.nodes.map(nodeToProto),
      initializer: [...graph.initializers].map(([name, data]) => ({ name, ...tensorToProto(data) })),
      input: graph.inputs.map(valueToProto),
      output: graph.outputs.map(valueToProto),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** Lists each domain that the nodes use, with its version: ONNX Runtime needs one for every domain. */
function opsetImports(graph: Graph, opset: number): { domain: string; version: bigint }[] {
  const domains = new Set(['', ...graph.nodes.map((node) => node.domain)]);
  return [...domains].map((domain) => ({ domain, version: BigInt(domain === '' ? opset : 1) }));
}

function valueToProto({ name, type }: Value): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = type.shape.map((d) => ({
    value:
      typeof d === 'number'
        ? ({ case: 'dimValue', value: BigInt(d) } as const)
        : ({ case: 'dimParam', value: d } as const),
  }));
  const tensor = { elemType: elementTypes[type.dataType], shape: { dim } };
  return { name, type: { value: { case: 'tensorType', value: tensor } } };
}

function tensorToProto(data: TensorData): MessageInitShape<typeof TensorProtoSchema> {
  return { dims: data.dims.map(BigInt), dataType: elementTypes[data.dataType], rawData: data.bytes };
}

function nodeToProto(node: Node): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.op,
    domain: node.domain,
    ...(node.name !== '' && { name: node.name }),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, value]) => attributeToProto(name, value)),
  };
}

function attributeToProto(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if ('int' in value) return { name, type: AttributeType.INT, i: BigInt(value.int) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ('ints' in value) return { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) };
  if ('floats' in value) return { name, type: AttributeType.FLOATS, floats: [...value.floats] };
  if ('strings' in value)
    return { name, type: AttributeType.STRINGS, strings: value.strings.map((text) => Buffer.from(text)) };
  if ('string' in value) return { name, type: AttributeType.STRING, s: Buffer.from(value.string) };
  return { name, type: AttributeType.TENSOR, t: tensorToProto(value.tensor) };
}

/**
 * Reads a model that Quati wrote. Use `importOnnx` for models of other tools: here, nodes stay as the file has them.
 * The graph has the value types that the file states; `inferTypes` adds the others.
 * @param file names the model in errors.
 * @throws GraphError if the bytes are not an ONNX model, or if Quati does not support one of its data types.
 */
export function decodeOnnx(bytes: Uint8Array, file = 'model'): Graph {
  return readOnnx(bytes, file).graph;
}

/** Reads a model, and the version of ONNX's operator set that it uses. @throws GraphError as `decodeOnnx` does. */
export function readOnnx(bytes: Uint8Array, file: string): { graph: Graph; opset: number } {
  const model = decodeModel(bytes, file);
  const own = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const version = own ? Number(own.version) : opset;
  return { graph: withForeign(graphFromProto(model.graph, file), version), opset: version };
}

/** Operators without a rule keep the operator set that they are written for. */
function withForeign(graph: Graph, version: number): Graph {
  if (version <= opset) return graph;
  const nodes = graph.nodes.map((node) =>
    hasRule(node) ? node : { ...node, foreign: { opset: version, types: [] } },
  );
  return { ...graph, nodes };
}

function decodeModel(bytes: Uint8Array, file: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new GraphError(`${file}: not an ONNX model: ${(cause as Error).message}`, { cause });
  }
}

function graphFromProto(proto: GraphProto | undefined, file: string): Graph {
  if (!proto?.node.length) throw new GraphError(`${file}: not an ONNX model: it has no graph`);
  const initializers = new Map(
    proto.initializer.map((tensor) => [tensor.name, tensorFromProto(tensor, file)]),
  );
  const inputs = proto.input.map((value) => valueFromProto(value, file));
  // Others are lists of maps, which classical classifiers have.
  const tensors = proto.output.filter(({ type }) => type?.value.case === 'tensorType');
  const outputs = tensors.map((value) => valueFromProto(value, file));
  const types = new Map<string, TensorType>();
  for (const value of [...inputs, ...outputs]) types.set(value.name, value.type);
  for (const [name, data] of initializers) types.set(name, { dataType: data.dataType, shape: data.dims });
  return {
    name: proto.name,
    inputs: inputs.filter((input) => !initializers.has(input.name)),
    outputs,
    initializers,
    nodes: proto.node.map((node, index) => nodeFromProto(node, index, file)),
    types,
  };
}

function valueFromProto({ name, type }: ValueInfoProto, file: string): Value {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const shape = (tensor?.shape?.dim ?? []).map(dimFromProto);
  return { name, type: { dataType: dataTypeOf(tensor?.elemType, `${file}: ${name}`), shape } };
}

/** Returns `?` for a dimension that the file leaves open or states as 0. */
function dimFromProto({ value }: TensorShapeProto_Dimension): number | string {
  const size = value.case === 'dimValue' ? Number(value.value) : value.value;
  return size === undefined || size === 0 || size === '' ? '?' : size;
}

function dataTypeOf(code: number | undefined, where: string): DataType {
  const dataType = dataTypes.get(code ?? ElementType.UNDEFINED);
  if (!dataType) throw new GraphError(`${where}: element type ${code} is not supported`);
  return dataType;
}

function tensorFromProto(proto: TensorProto, file: string): TensorData {
  const where = `${file}: tensor ${proto.name}`;
  const dims = proto.dims.map(Number);
  const dataType = dataTypeOf(proto.dataType, where);
  if (proto.dataLocation === DataLocation.EXTERNAL) {
    throw new GraphError(
      `${where}: its data is in another file, which is not supported; put it into the model`,
    );
  }
  const bytes = elementBytes(proto, dataType);
  if (bytes.byteLength !== byteLength(dataType, dims)) {
    throw new GraphError(
      `${where}: ${dataType}[${dims.join(', ')}] needs ${byteLength(dataType, dims)} bytes, got ${bytes.byteLength}`,
    );
  }
  return { dataType, dims, bytes };
}

/** Returns the elements as raw bytes. ONNX also has fields of numbers: int32_data is for every type of at most 32 bits. */
function elementBytes(
  { floatData, int64Data, int32Data, rawData }: TensorProto,
  dataType: DataType,
): Uint8Array {
  if (dataType === 'float32' && floatData.length > 0) return bytesOf(Float32Array.from(floatData));
  if (dataType === 'int64' && int64Data.length > 0) return bytesOf(BigInt64Array.from(int64Data));
  const narrow = int32Arrays[dataType];
  if (narrow && int32Data.length > 0) return bytesOf(narrow.from(int32Data));
  return rawData;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function nodeFromProto(proto: NodeProto, index: number, file: string): Node {
  return {
    op: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    name: proto.name === '' ? `${proto.opType}_${index}` : proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(
      proto.attribute.map((attribute) => [attribute.name, attributeFromProto(attribute, file)]),
    ),
  };
}

function attributeFromProto(proto: AttributeProto, file: string): Attribute {
  switch (proto.type) {
    case AttributeType.INT:
      return { int: Number(proto.i) };
    case AttributeType.FLOAT:
      return { float: proto.f };
    case AttributeType.INTS:
      return { ints: proto.ints.map(Number) };
    case AttributeType.FLOATS:
      return { floats: proto.floats };
    case AttributeType.STRING:
      return { string: Buffer.from(proto.s).toString() };
    case AttributeType.STRINGS:
      return { strings: proto.strings.map((text) => Buffer.from(text).toString()) };
    case AttributeType.TENSOR:
      return { tensor: tensorFromProto(proto.t ?? create(TensorProtoSchema), file) };
    default:
      throw new GraphError(`${file}: attribute ${proto.name} has type ${proto.type}, which is not supported`);
  }
}
