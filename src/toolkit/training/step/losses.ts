// logits and labels → the loss and the number of correct predictions, as graph operators.
import type { GraphBuilder } from '../../graph/builder.js';
import { GraphError } from '../../graph/errors.js';
import type { Value } from '../../graph/graph.js';
import { withDefaults } from '../../value-schema.js';
import { defaultLoss, type Loss, Softmax } from '../recipe/settings.js';

/**
 * Cross-entropy summed over the batch; the mean is this over the batch's size. Scalar.
 * Softmax: -sum over k of t[k] log softmax(logits)[k], where t is 1 - e + e/K at the label and e/K elsewhere, e being the
 * label smoothing and K the number of labels (Szegedy and others, 2016, section 7). Equal to torch.nn.CrossEntropyLoss.
 * Sigmoid: -log sigmoid(logit) at the second label, -log(1 - sigmoid(logit)) at the first: torch.nn.BCEWithLogitsLoss.
 * @throws GraphError if the logits are not [N, labels], or for sigmoid [N, 1].
 */
export function crossEntropySum(
  builder: GraphBuilder,
  logits: Value,
  labels: Value,
  loss: Loss = defaultLoss,
): Value {
  const scores = scoresOf(builder, logits, loss);
  const classes = Number(scores.type.shape[1]);
  const spread = loss.kind === 'softmax' ? withDefaults(Softmax, loss).labelSmoothing : 0;
  const [off, on] = [spread / classes, 1 - spread + spread / classes];
  const target = builder.op('OneHot', [labels, builder.integers([classes]), builder.floats([off, on], [2])]);
  const logProbabilities = builder.op('LogSoftmax', [scores], { axis: { int: 1 } });
  const addends = builder.op('Neg', [builder.op('Mul', [logProbabilities, target])]);
  return builder.op('ReduceSum', [addends, builder.integers([0, 1])], { keepdims: { int: 0 } });
}

/** The label with the highest score, int64 [N]. */
export function surestLabels(builder: GraphBuilder, logits: Value, loss: Loss = defaultLoss): Value {
  const scores = scoresOf(builder, logits, loss);
  return builder.op('ArgMax', [scores], { axis: { int: 1 }, keepdims: { int: 0 } });
}

/** The number of images in the batch whose label has the highest score. Scalar float32. */
export function correctCount(
  builder: GraphBuilder,
  logits: Value,
  labels: Value,
  loss: Loss = defaultLoss,
): Value {
  const answers = surestLabels(builder, logits, loss);
  const right = builder.op('Cast', [builder.op('Equal', [answers, labels])], { to: { int: 1 } });
  return builder.op('ReduceSum', [right, builder.integers([0])], { keepdims: { int: 0 } });
}

/**
 * One score per label, [N, labels]. sigmoid(x) = softmax([0, x])[1], so one logit becomes two. The softmax subtracts the maximum
 * first, which keeps it stable.
 */
function scoresOf(builder: GraphBuilder, logits: Value, { kind }: Loss): Value {
  const [, outputs] = logits.type.shape;
  const fits = kind === 'sigmoid' ? outputs === 1 : typeof outputs === 'number';
  if (logits.type.shape.length !== 2 || !fits) {
    const expected = kind === 'sigmoid' ? '[N, 1] for a sigmoid' : '[N, labels]';
    throw new GraphError(
      `${logits.name}: expected logits ${expected}, got [${logits.type.shape.join(', ')}]`,
    );
  }
  return kind === 'sigmoid' ? builder.op('Mul', [logits, builder.floats([0, 1], [1, 2])]) : logits;
}
