// a gradient → new parameters, as graph operators on one flat vector. Each optimiser is a pair of state and update.
import type { GraphBuilder } from '../../graph/builder.js';
import { elementCount, type Value } from '../../graph/graph.js';
import { float32Tensor } from '../../graph/tensor-data.js';
import { withDefaults } from '../../value-schema.js';
import type { Recipe } from '../recipe/recipe.js';
import { Adam, AdamW, type OptimiserSettings, Sgd } from '../recipe/settings.js';

interface Update {
  readonly parameters: Value;
  readonly state: readonly Value[];
}

export interface UpdateInputs {
  readonly parameters: Value;
  readonly gradient: Value;
  /** One vector per state name, in the same order. */
  readonly state: readonly Value[];
  /** One scalar per scalar name, in the same order. */
  readonly scalars: readonly Value[];
  /** A constant vector: `rate` at the places of weights, 0 at those of biases and of parameters of norms. */
  decay(rate: number): Value;
}

export interface Optimiser {
  readonly name: string;
  /** Vectors as long as the parameters, zero at first, kept in the checkpoint. */
  readonly stateNames: readonly string[];
  readonly scalarNames: readonly string[];
  /** Computes the scalars of a step, counted from 1, in float64. */
  scalars(step: number, learningRate: number): number[];
  update(builder: GraphBuilder, inputs: UpdateInputs): Update;
}

type Options<S> = Omit<S, 'kind'>;

export function optimiserOf({ optimiser, clipNorm }: Recipe): Optimiser {
  return createOptimiser(optimiser, clipNorm);
}

/** @param clipNorm see `clipped`; if undefined, no gradient is shortened. */
export function createOptimiser(settings: OptimiserSettings, clipNorm?: number): Optimiser {
  const optimiser = unclipped(settings);
  return clipNorm === undefined ? optimiser : clipped(clipNorm, optimiser);
}

function unclipped(settings: OptimiserSettings): Optimiser {
  switch (settings.kind) {
    case 'sgd':
      return sgd(settings);
    case 'adam':
      return adam(settings);
    case 'adamw':
      return adamW(settings);
  }
}

/**
 * Stochastic gradient descent with momentum: u' = momentum u + g; p' = p - learningRate u',
 * or with Nesterov's p' = p - learningRate (g + momentum u'). Equal to torch.optim.SGD with dampening 0.
 */
function sgd(settings: Options<Sgd> = {}): Optimiser {
  const { momentum, nesterov, weightDecay } = withDefaults(Sgd, { kind: 'sgd', ...settings });
  const plain: Optimiser = {
    name: 'sgd',
    stateNames: momentum === 0 ? [] : ['velocity'],
    scalarNames: ['learningRate'],
    scalars: (_, learningRate) => [learningRate],
    update(builder, { parameters, gradient, state: [velocity], scalars: [learningRate] }) {
      const carry = (old: Value) =>
        builder.op('Add', [builder.op('Mul', [old, builder.scalar(momentum)]), gradient]);
      const moved = velocity && carry(velocity);
      const direction = moved && nesterov ? carry(moved) : (moved ?? gradient);
      const change = builder.op('Mul', [direction, learningRate]);
      return { parameters: builder.op('Sub', [parameters, change]), state: moved ? [moved] : [] };
    },
  };
  return weightDecay === 0 ? plain : withL2(weightDecay, plain);
}

/**
 * Adam (Kingma and Ba, 2015), in the form of its section 2 that corrects the bias in two scalars:
 * m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g²; p' = p - a m' / (sqrt(v') + e),
 * a = learningRate sqrt(1 - b2^t) / (1 - b1^t), e = epsilon sqrt(1 - b2^t). Equal to torch.optim.Adam.
 */
export function adam(settings: Options<Adam> = {}): Optimiser {
  const { beta1, beta2, epsilon } = withDefaults(Adam, { kind: 'adam', ...settings });
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

/** Adam with a decay that does not enter the moments (Loshchilov and Hutter, 2019). Equal to torch.optim.AdamW. */
function adamW(settings: Options<AdamW> = {}): Optimiser {
  const { weightDecay, kind: _, ...options } = withDefaults(AdamW, { kind: 'adamw', ...settings });
  const optimiser = adam(options);
  return { ...(weightDecay === 0 ? optimiser : withDecoupledDecay(weightDecay, optimiser)), name: 'adamw' };
}

/** The vector of `decay` for adjacent parameters. Biases and norms have rank 1, weights have rank 2 or more. */
export function decayOf(
  builder: GraphBuilder,
  entries: readonly { readonly shape: readonly number[] }[],
): UpdateInputs['decay'] {
  return (rate) =>
    builder.shared(`decay:${rate}`, () => {
      const rates = entries.flatMap(({ shape }) =>
        Array<number>(elementCount(shape)).fill(shape.length > 1 ? rate : 0),
      );
      return float32Tensor(rates, [rates.length]);
    });
}

/** Weights are pulled towards 0 through their gradient: g' = g + rate p. */
function withL2(rate: number, optimiser: Optimiser): Optimiser {
  return {
    ...optimiser,
    update(builder, inputs) {
      const pull = builder.op('Mul', [inputs.parameters, inputs.decay(rate)]);
      const gradient = builder.op('Add', [inputs.gradient, pull]);
      return optimiser.update(builder, { ...inputs, gradient });
    },
  };
}

/** Weights shrink by themselves before the step: p' = p - learningRate rate p. */
function withDecoupledDecay(rate: number, optimiser: Optimiser): Optimiser {
  return {
    ...optimiser,
    scalarNames: [...optimiser.scalarNames, 'learningRate'],
    scalars: (step, learningRate) => [...optimiser.scalars(step, learningRate), learningRate],
    update(builder, inputs) {
      const scalars = inputs.scalars.slice(0, -1);
      const part = builder.op('Mul', [inputs.decay(rate), inputs.scalars.at(-1)]);
      const loss = builder.op('Mul', [inputs.parameters, part]);
      const parameters = builder.op('Sub', [inputs.parameters, loss]);
      return optimiser.update(builder, { ...inputs, parameters, scalars });
    },
  };
}

/**
 * A gradient longer than `limit` is shortened to it, over all parameters together:
 * g' = g min(1, limit / (|g| + 1e-6)). Equal to torch.nn.utils.clip_grad_norm_.
 */
function clipped(limit: number, optimiser: Optimiser): Optimiser {
  return {
    ...optimiser,
    update(builder, inputs) {
      const squares = builder.op('Mul', [inputs.gradient, inputs.gradient]);
      const sum = builder.op('ReduceSum', [squares, builder.integers([0])], { keepdims: { int: 0 } });
      const norm = builder.op('Add', [builder.op('Sqrt', [sum]), builder.scalar(1e-6)]);
      const factor = builder.op('Clip', [
        builder.op('Div', [builder.scalar(limit), norm]),
        undefined,
        builder.scalar(1),
      ]);
      const gradient = builder.op('Mul', [inputs.gradient, factor]);
      return optimiser.update(builder, { ...inputs, gradient });
    },
  };
}
