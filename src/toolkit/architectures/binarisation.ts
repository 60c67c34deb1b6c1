// The part of a recipe about a binarised network: each value with its choices and its effect.
import { type Static, Type } from '#typebox';
import { signGradients } from '../autodiff/sign-gradients.js';
import { oneOf } from '../value-schema.js';

export const blockOrders = ['norm-activation', 'activation-norm'] as const;
export const precisions = ['binary', 'float32'] as const;
export type Precision = (typeof precisions)[number];

/** Which weights and activations are binarised, and how the network learns them. */
export const Binarisation = Type.Object({
  signGradient: oneOf(signGradients, {
    description: 'the slope that replaces the gradient of the sign, which is 0 almost everywhere',
  }),
  blockOrder: oneOf(blockOrders, {
    argument: 'order',
    description: 'order of batch normalisation and activation after each layer except the last',
  }),
  activations: oneOf(precisions, {
    argument: 'precision',
    description: 'binary: ±1 between the layers; float32: ReLU, and only weights are ±1',
  }),
  firstLayer: oneOf(precisions, {
    argument: 'precision',
    description: 'precision of the weights of the first layer',
  }),
  lastLayer: oneOf(precisions, {
    argument: 'precision',
    description: 'precision of the weights of the last layer',
  }),
});
export type Binarisation = Static<typeof Binarisation>;
