// The operator Binarise: y = sign(x), and what stands for its gradient, which is 0 nearly everywhere (straight-through estimators).

import type { GraphBuilder } from '../graph/builder.js';
import { UnsupportedOperatorError } from '../graph/errors.js';
import { stringAttribute, type Value } from '../graph/graph.js';
import type { Gradients, VjpContext } from './vjp.js';
import { required } from './vjp.js';

/** Slopes that the backward pass may use. The forward pass is the same for all. */
export const signGradients = ['identity', 'clipped', 'polynomial', 'annealed-tanh', 'swish'] as const;
export type SignGradient = (typeof signGradients)[number];

type Slope = (builder: GraphBuilder, x: Value, annealing: Value | undefined) => Value | undefined;

/** dy/dx as a function of x; undefined if it is 1 everywhere. */
const slopes: Record<SignGradient, Slope> = {
  // 1 (Bengio, Léonard and Courville, 2013).
  identity: () => undefined,
  // 1 where |x| <= 1, else 0: hard tanh (Hubara et al., 2016). It is 1 at ±1, because clipped latent weights stay there.
  clipped: (builder, x) => steep(builder, builder.op('Sub', [builder.scalar(1), builder.op('Abs', [x])])),
  // max(0, 2 - 2 |x|): ApproxSign (Liu et al., 2018, Bi-Real Net).
  polynomial: (builder, x) => {
    const distance = builder.op('Mul', [builder.op('Abs', [x]), builder.scalar(2)]);
    return builder.op('Relu', [builder.op('Sub', [builder.scalar(2), distance])]);
  },
  // k t (1 - tanh²(t x)), k = max(1 / t, 1): EDE (Qin et al., 2020, IR-Net). With s = 1 / (1 + exp(-2 t x)), 1 - tanh² = 4 s (1 - s).
  'annealed-tanh': (builder, x, annealing) => {
    const t = required(annealing);
    const s = builder.op('Sigmoid', [builder.op('Mul', [x, builder.op('Mul', [t, builder.scalar(2)])])]);
    const kt = builder.op('Clip', [t, builder.scalar(1)]);
    const bump = builder.op('Mul', [s, builder.op('Sub', [builder.scalar(1), s])]);
    return builder.op('Mul', [bump, builder.op('Mul', [kt, builder.scalar(4)])]);
  },
  // The slope of 2 s (1 + u (1 - s)) - 1 with u = b x, s = 1 / (1 + exp(-u)), b = 5: 2 b s (1 - s) (2 + u (1 - 2 s)):
  // SignSwish (Darabi et al., 2019, BNN+).
  swish: (builder, x) => {
    const u = builder.op('Mul', [x, builder.scalar(5)]);
    const s = builder.op('Sigmoid', [u]);
    const one = builder.scalar(1);
    const bump = builder.op('Mul', [s, builder.op('Sub', [one, s])]);
    const turned = builder.op('Sub', [one, builder.op('Mul', [s, builder.scalar(2)])]);
    const tail = builder.op('Add', [builder.op('Mul', [u, turned]), builder.scalar(2)]);
    return builder.op('Mul', [builder.op('Mul', [bump, builder.scalar(10)]), tail]);
  },
};

/** 1 where x >= 0, else 0. HardSigmoid is 0 from -1e-30 down. */
function steep(builder: GraphBuilder, x: Value): Value {
  return builder.op('HardSigmoid', [x], { alpha: { float: 1e30 }, beta: { float: 1 } });
}

/** The inputs are x and, for `annealed-tanh`, the annealing, which training feeds at every step. */
export function binariseVjp({ builder, node, gradient, inputs: [x, annealing] }: VjpContext): Gradients {
  const slope = slopes[gradientOf(node)](builder, required(x), annealing);
  return [slope ? builder.op('Mul', [gradient, slope]) : gradient];
}

/** Whether the gradient of a node depends on the progress of the run. */
export function isAnnealed(node: Parameters<typeof gradientOf>[0]): boolean {
  return node.op === 'Binarise' && gradientOf(node) === 'annealed-tanh';
}

function gradientOf(node: VjpContext['node']): SignGradient {
  const name = stringAttribute(node, 'gradient', '');
  const known = signGradients.find((gradient) => gradient === name);
  if (known) return known;
  throw new UnsupportedOperatorError(
    `Binarise ${node.name}: gradient: expected ${signGradients.join(', ')}, got ${name}`,
  );
}

/**
 * Returns the factor t of the tanh. It grows from 0.1 to 10, evenly in its logarithm (Qin et al., 2020, eq. 10).
 * @param progress the steps taken as a part of the run's steps, 0…1.
 */
export function annealingAt(progress: number): number {
  return 0.1 * 100 ** progress;
}
