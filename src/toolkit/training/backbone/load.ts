// the bytes of an imported classifier → a graph with images as [N, C, H, W] and folded normalisations, and its dynamic sizes.
import { GraphError, UnsupportedOperatorError } from '../../graph/errors.js';
import { consumers, type Dim, type Graph, intsAttribute } from '../../graph/graph.js';
import { toInferenceMode } from '../../graph/inference-mode.js';
import { readOnnx } from '../../graph/onnx.js';
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

/** @throws BackboneError or GraphError with the file, and the part that a float image classifier does not have. */
export async function loadBackbone(bytes: Uint8Array, file: string): Promise<LoadedBackbone> {
  const { graph: stored, opset } = readOnnx(bytes, file);
  const quantised = stored.nodes.find(({ op }) => /QuantizeLinear$|^QLinear|^QGemm|Integer$/.test(op));
  if (quantised)
    throw new BackboneError(`${file}: is quantised (${quantised.op}), but a backbone must be float32`);
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
  const { graph, opaque } = await understood(bytes, file, ['N', ...imageShape]);
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

/** Exporters of TensorFlow put a Transpose after an input [N, H, W, C]. Then images enter after that Transpose. */
function toChannelsFirst(graph: Graph, file: string): Graph {
  const [image] = graph.inputs;
  if (image === undefined) return graph;
  const [batch = 'N', second, third, last] = image.type.shape;
  const [reader, ...readers] = consumers(graph).get(image.name) ?? [];
  const perm = reader?.op === 'Transpose' ? intsAttribute(reader, 'perm', []).join() : '';
  if (perm !== '0,3,1,2' || reader === undefined || readers.length > 0) {
    if (isChannels(last) && !isChannels(second))
      throw new BackboneError(
        `${file}: takes images as [N, H, W, C] and does not transpose them to [N, C, H, W]: export it with channels first`,
      );
    return graph;
  }
  const [output = ''] = reader.outputs;
  const type = { ...image.type, shape: [batch, last ?? '?', second ?? '?', third ?? '?'] };
  const nodes = graph.nodes
    .filter((node) => node !== reader)
    .map((node) => ({ ...node, inputs: node.inputs.map((name) => (name === output ? image.name : name)) }));
  const types = new Map([...graph.types, [image.name, type] as const]);
  return { ...graph, inputs: [{ name: image.name, type }], nodes, types };
}

function isChannels(dim: Dim | undefined): boolean {
  return dim === 1 || dim === 3;
}

function describeInputs({ inputs }: Graph): string {
  return inputs.map(({ name, type }) => `${name} ${type.dataType}[${type.shape.join(', ')}]`).join(', ');
}
