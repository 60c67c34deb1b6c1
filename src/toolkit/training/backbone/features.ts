// the graph of a classifier → the name of its features: the input of its last layer with weights.
import { type Graph, intAttribute, intsAttribute, type Node, producers } from '../../graph/graph.js';
import { BackboneError } from './errors.js';

/** Operators that may follow the last layer, because they only reshape or rescale the scores. */
const behindScores = new Set([
  'Add',
  'AveragePool',
  'Cast',
  'Clip',
  'Dropout',
  'Flatten',
  'GlobalAveragePool',
  'Identity',
  'LogSoftmax',
  'ReduceMean',
  'Relu',
  'Reshape',
  'Sigmoid',
  'Softmax',
  'Squeeze',
  'Transpose',
]);
/** The cut is before these operators, where the features still have the shape [N, F, h, w]. */
const onlyReshape = new Set(['Dropout', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
const namesListed = 5;

/**
 * Finds the input of the last Gemm, MatMul or 1x1 Conv, before operators that only reshape it; or the requested value.
 * @throws BackboneError if there is no such layer or value. The message lists the candidates.
 */
export function findFeatures(graph: Graph, asked?: string): string {
  const made = producers(graph);
  if (asked !== undefined) {
    if (made.has(asked)) return asked;
    throw new BackboneError(
      `${graph.name}: has no value ${asked} to cut at; its last values are ${lastValues(graph)}`,
    );
  }
  const at = graph.nodes.findLastIndex((node) => isClassifier(node, graph));
  const behind = graph.nodes.slice(at + 1).find(({ op }) => !behindScores.has(op));
  const classifier = graph.nodes[at];
  if (classifier === undefined || behind !== undefined)
    throw new BackboneError(
      `${graph.name}: does not end in a layer of scores${behind ? ` (${behind.op} ${behind.name} is after the last dense layer)` : ''}; ` +
        `give --features <name>, the value to cut at: the last values are ${lastValues(graph)}`,
    );
  return beforeReshapes(classifier.inputs[0] ?? '', made);
}

function isClassifier({ op, inputs, attributes }: Node, { initializers }: Graph): boolean {
  const weight = initializers.get(inputs[1] ?? '');
  if (weight === undefined) return false;
  const onePixel = weight.dims.slice(2).every((size) => size === 1);
  return (
    op === 'Gemm' ||
    op === 'MatMul' ||
    (op === 'Conv' && onePixel && intAttribute({ attributes }, 'group', 1) === 1)
  );
}

function beforeReshapes(name: string, made: ReadonlyMap<string, Node>): string {
  const node = made.get(name);
  const [source] = node?.inputs ?? [];
  if (node === undefined || source === undefined || !made.has(source)) return name;
  return onlyReshape.has(node.op) || isSpatialMean(node) ? beforeReshapes(source, made) : name;
}

/** Some exporters write GlobalAveragePool in this form. It is replaced by GlobalAveragePool, which has a gradient, after the cut. */
function isSpatialMean(node: Node): boolean {
  const axes = intsAttribute(node, 'axes', []).map((axis) => (axis < 0 ? axis + 4 : axis));
  return node.op === 'ReduceMean' && axes.sort().join() === '2,3';
}

function lastValues({ nodes }: Graph): string {
  return nodes
    .slice(-namesListed)
    .map(({ outputs }) => outputs[0])
    .join(', ');
}
