// Gradient → new parameters, as graph operators on one flat vector; each optimiser is a pair of state and update.
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/graph.js';

export interface Update {
  readonly parameters: Value;
  readonly state: readonly Value[];
}

export interface UpdateInputs {
  readonly parameters: Value;
  readonly gradient: Value;
  /** One vector a state name, in their order. */
  readonly state: readonly Value[];
  /** One scalar a scalar name, in their order. */
  readonly scalars: readonly Value[];
}

export interface Optimiser {
  readonly name: string;
  /** Vectors as long as the parameters, zero at first, kept in the checkpoint. */
  readonly stateNames: readonly string[];
  readonly scalarNames: readonly string[];
  /** The scalars of a step, counted from 1, worked out in float64. */
  scalars(step: number, learningRate: number): number[];
  update(builder: GraphBuilder, inputs: UpdateInputs): Update;
}

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * Adam (Kingma and Ba, 2015), in the form of its section 2 that corrects the bias in two scalars:
 * m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g²; p' = p - a m' / (sqrt(v') + e),
 * a = learningRate sqrt(1 - b2^t) / (1 - b1^t), e = epsilon sqrt(1 - b2^t). Equal to PyTorch's.
 */
export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}): Optimiser {
  return {
    name: 'adam',
    stateNames: ['moment1', 'moment2'],
    scalarNames: ['stepSize', 'stepEpsilon'],
    scalars(step, learningRate) {
      const correction = Math.sqrt(1 - beta2 ** step);
      return [(learningRate * correction) / (1 - beta1 ** step), epsilon * correction];
    },
    update(builder, { parameters, gradient, state: [m, v], scalars: [stepSize, stepEpsilon] }) {
      const mix = (old: Value | undefined, beta: number, fresh: Value) =>
        builder.op('Add', [
          builder.op('Mul', [old, builder.scalar(beta)]),
          builder.op('Mul', [fresh, builder.scalar(1 - beta)]),
        ]);
      const moment1 = mix(m, beta1, gradient);
      const moment2 = mix(v, beta2, builder.op('Mul', [gradient, gradient]));
      const denominator = builder.op('Add', [builder.op('Sqrt', [moment2]), stepEpsilon]);
      const change = builder.op('Div', [builder.op('Mul', [moment1, stepSize]), denominator]);
      return { parameters: builder.op('Sub', [parameters, change]), state: [moment1, moment2] };
    },
  };
}
