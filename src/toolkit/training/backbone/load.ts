// The bytes of a classifier from anywhere → a graph that takes images as [N, C, H, W], normalisations folded, and what it leaves free.
import { GraphError, UnsupportedOperatorError } from '../../graph/errors.js';
import { consumers, type Dim, type Graph, intsAttribute } from '../../graph/graph.js';
import { importOnnx } from '../../graph/import.js';
import { toInferenceMode } from '../../graph/inference-mode.js';
import { readOnnx } from '../../graph/onnx.js';
import { BackboneError } from './errors.js';
import { freezeBatchNorm } from './freeze.js';

export interface LoadedBackbone {
  readonly graph: Graph;
  /** The name of its one input. */
  readonly input: string;
  readonly channels: 1 | 3;
  /** Absent where the file leaves the size of images free. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Why its types are not known, and so nothing but a head can be trained on it. */
  readonly opaque?: string;
}

/** From this set on, a graph that is not understood means the same when it is written again with Quati's. */
const oldestOpaque = 13;

/** @throws BackboneError or GraphError naming the file and what it has that a float image classifier has not. */
export function loadBackbone(bytes: Uint8Array, file: string): LoadedBackbone {
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
  const { graph, opaque } = understood(bytes, file, ['N', ...imageShape]);
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
 * Many files are exported for one image at a time though their operators take any number: the batch is left free.
 * Normalisations are folded where every operator is known; an opaque graph stays as it is.
 */
function understood(
  bytes: Uint8Array,
  file: string,
  inputShape: readonly Dim[],
): Pick<LoadedBackbone, 'graph' | 'opaque'> {
  try {
    return { graph: freezeBatchNorm(toInferenceMode(importOnnx(bytes, file, { inputShape }))) };
  } catch (error) {
    if (!(error instanceof UnsupportedOperatorError || error instanceof GraphError)) throw error;
    const { graph } = readOnnx(bytes, file);
    const inputs = graph.inputs.map(({ name, type }) => ({ name, type: { ...type, shape: inputShape } }));
    return { graph: { ...graph, inputs, types: new Map() }, opaque: error.message };
  }
}

/** Exporters of TensorFlow put one Transpose behind an input [N, H, W, C]: images enter behind it. */
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
