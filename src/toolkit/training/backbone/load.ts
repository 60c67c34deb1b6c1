// the bytes of an imported classifier → a graph with images as [N, C, H, W] and folded normalisations, and its dynamic sizes.
import { GraphError, UnsupportedOperatorError } from '../../graph/errors.js';
import {
  consumers,
  type Dim,
  elementCount,
  type Graph,
  intsAttribute,
  type Node,
} from '../../graph/graph.js';
import { toInferenceMode } from '../../graph/inference-mode.js';
import { readOnnx } from '../../graph/onnx.js';
import { findQuantised } from '../../graph/quantised.js';
import { readModel } from '../../graph/read-model.js';
import { BackboneError } from './errors.js';
import { freezeBatchNorm } from './freeze.js';

export interface LoadedBackbone {
  readonly graph: Graph;
  /** The name of its only input. */
  readonly input: string;
  readonly channels: 1 | 3;
  /** Absent if the size of images is dynamic in the file. */
  readonly size?: { readonly width: number; readonly height: number };
  /** The reason why its types are unknown. Then only a head can be trained on it. */
  readonly opaque?: string;
}

/** From this operator set on, a graph with unknown operators keeps its meaning if it is written in Quati's operator set. */
const oldestOpaque = 13;

/** What a file may leave open. */
export interface StatedImages {
  readonly channels?: 1 | 3 | undefined;
  readonly size?: { readonly width: number; readonly height: number } | undefined;
}

/**
 * @param stated replaces dimensions that the file leaves open, which are [N, C, H, W] then.
 * @throws BackboneError or GraphError with the file, and the part that a float image classifier does not have.
 */
export async function loadBackbone(
  bytes: Uint8Array,
  file: string,
  stated: StatedImages = {},
): Promise<LoadedBackbone> {
  const { graph: stored, opset } = readOnnx(bytes, file);
  const quantised = findQuantised(stored);
  if (quantised)
    throw new BackboneError(`${file}: is quantised (${quantised.part}), but a backbone must be float32`);
  const [image, ...others] = stored.inputs;
  const [, ...imageShape] = image?.type.shape ?? [];
  if (
    image === undefined ||
    others.length > 0 ||
    imageShape.length !== 3 ||
    image.type.dataType !== 'float32'
  )
    throw new BackboneError(
      `${file}: expected one float32 input [N, C, H, W], got ${describeInputs(stored)}`,
    );
  const { graph, opaque } = await understood(bytes, file, ['N', ...closed(imageShape, stated)]);
  if (opaque !== undefined && opset < oldestOpaque)
    throw new BackboneError(`${opaque}; export it with operator set ${oldestOpaque} or newer`);
  const channelsFirst = toChannelsFirst({ ...graph, name: file }, file);
  const [, channels, height, width] = channelsFirst.inputs[0]?.type.shape ?? [];
  if (channels !== 1 && channels !== 3)
    throw new BackboneError(
      `${file}: expected images of 1 or 3 channels, got [${image.type.shape.join(', ')}]`,
    );
  const known = typeof height === 'number' && typeof width === 'number';
  return {
    graph: channelsFirst,
    input: image.name,
    channels,
    ...(known && { size: { width, height } }),
    ...(opaque !== undefined && { opaque }),
  };
}

function closed(shape: readonly Dim[], { channels, size }: StatedImages): readonly Dim[] {
  if (shape.some((dim) => typeof dim === 'number')) return shape;
  return shape.map((dim, axis) => [channels, size?.height, size?.width][axis] ?? dim);
}

/**
 * Makes the batch dynamic, because many files are exported for one image although their operators take any number. Folds
 * normalisations if every operator is known; any other graph stays unchanged.
 */
async function understood(
  bytes: Uint8Array,
  file: string,
  inputShape: readonly Dim[],
): Promise<Pick<LoadedBackbone, 'graph' | 'opaque'>> {
  try {
    return { graph: freezeBatchNorm(toInferenceMode(await readModel(bytes, file, { inputShape }))) };
  } catch (error) {
    if (!(error instanceof UnsupportedOperatorError || error instanceof GraphError)) throw error;
    const { graph } = readOnnx(bytes, file);
    const inputs = graph.inputs.map(({ name, type }) => ({ name, type: { ...type, shape: inputShape } }));
    return { graph: { ...graph, inputs, types: new Map() }, opaque: error.message };
  }
}

/**
 * Exporters of TensorFlow put a Transpose after an input [N, H, W, C], and Keras may put a Rescaling before that. Then images enter as
 * [N, C, H, W], and the constants of the Rescaling get that layout.
 */
function toChannelsFirst(graph: Graph, file: string): Graph {
  const [image] = graph.inputs;
  if (image === undefined) return graph;
  const [batch = 'N', second, third, last] = image.type.shape;
  const scaling = scalingBefore(graph, image.name);
  if (scaling === undefined) {
    if (isChannels(last) && !isChannels(second))
      throw new BackboneError(
        `${file}: takes images as [N, H, W, C] and does not transpose them to [N, C, H, W]: export it with channels first`,
      );
    return graph;
  }
  const { transpose, nodes: scales } = scaling;
  const [source = ''] = transpose.inputs;
  const [output = ''] = transpose.outputs;
  const initializers = new Map(graph.initializers);
  for (const constant of scales.flatMap(({ inputs }) => inputs.filter((name) => initializers.has(name)))) {
    const data = initializers.get(constant);
    const count = data ? elementCount(data.dims) : 0;
    if (data) initializers.set(constant, { ...data, dims: count === 1 ? [] : [count, 1, 1] });
  }
  const shape = [batch, last ?? '?', second ?? '?', third ?? '?'];
  const type = { ...image.type, shape };
  const nodes = graph.nodes
    .filter((node) => node !== transpose)
    .map((node) => ({ ...node, inputs: node.inputs.map((name) => (name === output ? source : name)) }));
  const moved = scales.flatMap(({ outputs }) => outputs).map((name) => [name, type] as const);
  const types = new Map([...graph.types, [image.name, type] as const, ...moved]);
  return { ...graph, inputs: [{ name: image.name, type }], nodes, initializers, types };
}

interface Scaling {
  readonly transpose: Node;
  /** Sums and products with one constant for all values, or one for each channel, before it. */
  readonly nodes: readonly Node[];
}

function scalingBefore(graph: Graph, image: string): Scaling | undefined {
  const readers = consumers(graph);
  const nodes: Node[] = [];
  for (let value = image; ; ) {
    const [reader, ...others] = readers.get(value) ?? [];
    if (reader === undefined || others.length > 0) return undefined;
    if (reader.op === 'Transpose')
      return intsAttribute(reader, 'perm', []).join() === '0,3,1,2'
        ? { transpose: reader, nodes }
        : undefined;
    if (!isScaling(reader, value, graph, readers)) return undefined;
    nodes.push(reader);
    value = reader.outputs[0] ?? '';
  }
}

function isScaling(
  { op, inputs }: Node,
  value: string,
  { initializers }: Graph,
  readers: ReadonlyMap<string, readonly Node[]>,
): boolean {
  const constant = inputs.find((name) => name !== value) ?? '';
  const dims = initializers.get(constant)?.dims;
  const perChannel = dims?.slice(0, -1).every((dim) => dim === 1) ?? false;
  return ['Mul', 'Div', 'Add', 'Sub'].includes(op) && perChannel && readers.get(constant)?.length === 1;
}

function isChannels(dim: Dim | undefined): boolean {
  return dim === 1 || dim === 3;
}

function describeInputs({ inputs }: Graph): string {
  return inputs.map(({ name, type }) => `${name} ${type.dataType}[${type.shape.join(', ')}]`).join(', ');
}
