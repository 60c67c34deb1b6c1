// The layers of an architecture, with one factory function per layer.
import type { SignGradient } from '../autodiff/sign-gradients.js';

interface Conv2d {
  readonly kind: 'conv';
  readonly filters: number;
  /** The side of the square kernel, in pixels. */
  readonly kernel: number;
  /** The number of zero pixels that are added on every side. */
  readonly padding: number;
  /** The distance from one window to the next, in pixels. */
  readonly stride: number;
  /** The number of groups of channels that are computed separately. One group per channel is a depthwise convolution. */
  readonly groups: number;
  /** Whether there is a bias. Before a batch normalisation it has no effect. */
  readonly bias: boolean;
  /** If set, weights are +1 and -1, learned through this gradient of the sign. If undefined, they are real numbers. */
  readonly binary?: SignGradient;
}

interface Pool {
  readonly kind: 'maxPool' | 'averagePool';
  /** The side of the square window, and its stride, in pixels. */
  readonly size: number;
}

interface Dense {
  readonly kind: 'dense';
  readonly units: number;
  /** Default: true. */
  readonly bias?: boolean;
  /** As in a convolution. */
  readonly binary?: SignGradient;
}

/** Values of 0 or more become +1, the others -1. */
interface Binarise {
  readonly kind: 'binarise';
  readonly gradient: SignGradient;
}

interface Dropout {
  readonly kind: 'dropout';
  /** The fraction of the values that is dropped, 0…1. */
  readonly rate: number;
}

interface BatchNorm {
  readonly kind: 'batchNorm';
  readonly epsilon: number;
  /** The fraction of the running statistics that each step keeps. */
  readonly momentum: number;
}

/** body(x) + shortcut(x). An empty shortcut returns x. */
interface Residual {
  readonly kind: 'residual';
  readonly body: readonly Layer[];
  readonly shortcut: readonly Layer[];
}

type Simple = 'relu' | 'relu6' | 'sigmoid' | 'hardSwish' | 'flatten' | 'globalAveragePool';

export type Layer =
  | Conv2d
  | Pool
  | Dense
  | Binarise
  | Dropout
  | BatchNorm
  | Residual
  | { readonly kind: Simple };

export interface Architecture {
  readonly name: string;
  readonly input: { readonly channels: number; readonly height: number; readonly width: number };
  /** The last layer returns one logit per label. The loss and the card define the function from logits to confidences. */
  readonly layers: readonly Layer[];
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly padding?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly binary?: SignGradient | undefined;
}

export function conv(
  filters: number,
  { kernel = 3, padding = 0, stride = 1, groups = 1, bias = true, binary }: ConvOptions = {},
): Layer {
  return { kind: 'conv', filters, kernel, padding, stride, groups, bias, ...(binary && { binary }) };
}

export function maxPool(size = 2): Layer {
  return { kind: 'maxPool', size };
}

export function averagePool(size = 2): Layer {
  return { kind: 'averagePool', size };
}

export function dense(units: number, options: Pick<ConvOptions, 'bias' | 'binary'> = {}): Layer {
  const { bias, binary } = options;
  return { kind: 'dense', units, ...(bias !== undefined && { bias }), ...(binary && { binary }) };
}

export function binarise(gradient: SignGradient): Layer {
  return { kind: 'binarise', gradient };
}

export function dropout(rate: number): Layer {
  return { kind: 'dropout', rate };
}

export function batchNorm({ epsilon = 1e-5, momentum = 0.9 } = {}): Layer {
  return { kind: 'batchNorm', epsilon, momentum };
}

export function residual(body: readonly Layer[], shortcut: readonly Layer[] = []): Layer {
  return { kind: 'residual', body, shortcut };
}

export const relu: Layer = { kind: 'relu' };
export const relu6: Layer = { kind: 'relu6' };
export const sigmoid: Layer = { kind: 'sigmoid' };
export const hardSwish: Layer = { kind: 'hardSwish' };
export const flatten: Layer = { kind: 'flatten' };
export const globalAveragePool: Layer = { kind: 'globalAveragePool' };

/** The dense layer that returns the logits; undefined if the network ends in neither a dense layer nor its normalisation. */
export function classifierOf({ layers }: Architecture): Dense | undefined {
  const last = layers.findLast(({ kind }) => kind !== 'batchNorm');
  return last?.kind === 'dense' ? last : undefined;
}
