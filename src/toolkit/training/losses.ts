// Logits and labels → the loss and the number of right answers, as graph operators.
import type { GraphBuilder } from '../graph/builder.js';
import { GraphError } from '../graph/errors.js';
import type { Value } from '../graph/graph.js';

/** Softmax cross-entropy of each image: -log softmax(logits)[label]. Logits [N, labels], labels int64 [N] → [N, labels] addends. */
function crossEntropyAddends(builder: GraphBuilder, logits: Value, labels: Value): Value {
  const classes = logits.type.shape[1];
  if (logits.type.shape.length !== 2 || typeof classes !== 'number') {
    throw new GraphError(
      `${logits.name}: expected logits [N, labels], got [${logits.type.shape.join(', ')}]`,
    );
  }
  const target = builder.op('OneHot', [labels, builder.integers([classes]), builder.floats([0, 1], [2])]);
  const logProbabilities = builder.op('LogSoftmax', [logits], { axis: { int: 1 } });
  return builder.op('Neg', [builder.op('Mul', [logProbabilities, target])]);
}

/** Sum over the batch; the mean is this over the batch's size. Scalar. */
export function crossEntropySum(builder: GraphBuilder, logits: Value, labels: Value): Value {
  const addends = crossEntropyAddends(builder, logits, labels);
  return builder.op('ReduceSum', [addends, builder.integers([0, 1])], { keepdims: { int: 0 } });
}

/** How many of the batch have their highest logit at the label. Scalar float32. */
export function correctCount(builder: GraphBuilder, logits: Value, labels: Value): Value {
  const answers = builder.op('ArgMax', [logits], { axis: { int: 1 }, keepdims: { int: 0 } });
  const right = builder.op('Cast', [builder.op('Equal', [answers, labels])], { to: { int: 1 } });
  return builder.op('ReduceSum', [right, builder.integers([0])], { keepdims: { int: 0 } });
}
