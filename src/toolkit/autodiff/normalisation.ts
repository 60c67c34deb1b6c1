// Gradient of batch normalisation with the statistics of the batch (Ioffe and Szegedy, 2015).
import type { Gradients, VjpContext } from './vjp.js';

/**
 * y = scale (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance of the batch. The outputs are y, mean,
 * variance, x - mean, and 1 / sqrt(variance + epsilon). The loss may depend on y only.
 */
export function batchNormTrainingVjp({ builder, node, gradient, inputs: [, scale] }: VjpContext): Gradients {
  const [centred = '', inverseStd = ''] = node.outputs.slice(3);
  const inputs = [gradient, builder.value(centred), builder.value(inverseStd), scale];
  return builder.ops('BatchNormGrad', inputs, 3, { name: node.name });
}
