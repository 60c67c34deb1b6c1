// Shape rules of operators that only imported graphs hold. Quati runs and measures them and keeps them in float; it does not train them.
import { intsAttribute, type Node } from './graph.js';
import { elementwise, keepsDims, type Rule, reduceShape, sameAsFirst, withShape } from './shape-rules.js';

const reduction: Rule = ({ node, input }) => [
  withShape(input(0), reduceShape(node, input(0).shape, intsAttribute(node, 'axes', []), keepsDims(node))),
];

/** Any number of inputs. */
const elementwiseOfAll: Rule = (context) =>
  context.node.inputs.slice(1).reduce(
    ([known], _, i) => {
      const pair = (at: number) => (at === 0 && known ? known : context.input(i + 1));
      return elementwise({ ...context, input: pair });
    },
    [context.input(0)],
  );

const rules: Readonly<Record<string, Rule>> = {
  Abs: sameAsFirst,
  Ceil: sameAsFirst,
  Celu: sameAsFirst,
  Elu: sameAsFirst,
  Erf: sameAsFirst,
  Floor: sameAsFirst,
  GlobalMaxPool: ({ input }) => [
    withShape(
      input(0),
      input(0).shape.map((dim, axis) => (axis < 2 ? dim : 1)),
    ),
  ],
  InstanceNormalization: sameAsFirst,
  LRN: sameAsFirst,
  LayerNormalization: sameAsFirst,
  LeakyRelu: sameAsFirst,
  Log: sameAsFirst,
  Max: elementwiseOfAll,
  Mean: elementwiseOfAll,
  Min: elementwiseOfAll,
  PRelu: sameAsFirst,
  Pow: elementwise,
  Reciprocal: sameAsFirst,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  Selu: sameAsFirst,
  Sign: sameAsFirst,
  Softplus: sameAsFirst,
  Softsign: sameAsFirst,
  Sum: elementwiseOfAll,
  Tanh: sameAsFirst,
  ThresholdedRelu: sameAsFirst,
};

export function foreignRule({ op, domain }: Pick<Node, 'op' | 'domain'>): Rule | undefined {
  return domain === '' && Object.hasOwn(rules, op) ? rules[op] : undefined;
}
