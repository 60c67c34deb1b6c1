// The network of a training step: a forward graph for any batch, and the initializers that are in the trained vector.
import { buildForward, imageName, type ParameterSource } from '../../architectures/forward.js';
import type { Architecture } from '../../architectures/layers.js';
import { GraphError } from '../../graph/errors.js';
import type { Dim, Graph, TensorData } from '../../graph/graph.js';
import { inferTypes } from '../../graph/shape-inference.js';
import { collectParameters, fromTensors, type Parameters } from './parameters.js';
import { layoutOf } from './step-graph.js';

export interface Network {
  readonly name: string;
  /** The shape of one input image: channels, height, width. */
  readonly inputShape: readonly number[];
  /** The parameters at the start of training. */
  readonly parameters: Parameters;
  /** `image` [batch, …inputShape] → `logits` [batch, labels]. */
  forward(batch: Dim): Graph;
}

export function architectureNetwork(architecture: Architecture, source: ParameterSource): Network {
  const parameters = collectParameters(architecture, source);
  const { channels, height, width } = architecture.input;
  return {
    name: architecture.name,
    inputShape: [channels, height, width],
    parameters,
    forward: (batch) =>
      buildForward(architecture, { batch, parameter: fromTensors(parameters.tensors, architecture.name) }),
  };
}

/**
 * The network of an imported graph. Initializers that `trained` does not name are constants in every step.
 * @throws GraphError if `image` is not its only input, or an initializer of `trained` does not exist.
 */
export function graphNetwork(graph: Graph, trained: readonly string[]): Network {
  const [image, ...others] = graph.inputs;
  if (image?.name !== imageName || others.length > 0) {
    throw new GraphError(`${graph.name}: expected one input named ${imageName}`);
  }
  const [, ...inputShape] = image.type.shape.map(Number);
  const layout = layoutOf(graph, trained);
  const tensors = new Map(trained.map((name) => [name, graph.initializers.get(name) as TensorData]));
  return {
    name: graph.name,
    inputShape,
    parameters: { layout, tensors },
    forward(batch) {
      const type = { ...image.type, shape: [batch, ...inputShape] };
      return inferTypes({ ...graph, inputs: [{ name: image.name, type }] });
    },
  };
}
