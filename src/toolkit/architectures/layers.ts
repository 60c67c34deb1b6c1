// The layers an architecture is listed in, one factory a layer.

interface Conv2d {
  readonly kind: 'conv';
  readonly filters: number;
  /** Side of the square kernel, in pixels. */
  readonly kernel: number;
  /** Pixels of zeros on every side. */
  readonly padding: number;
}

interface MaxPool {
  readonly kind: 'maxPool';
  /** Side of the square window and its stride, in pixels. */
  readonly size: number;
}

interface Dense {
  readonly kind: 'dense';
  readonly units: number;
}

export type Layer = Conv2d | MaxPool | Dense | { readonly kind: 'relu' } | { readonly kind: 'flatten' };

export interface Architecture {
  readonly name: string;
  readonly input: { readonly channels: number; readonly height: number; readonly width: number };
  /** The last layer gives one logit a label; what turns them into confidences belongs to the loss and to the card. */
  readonly layers: readonly Layer[];
}

export function conv(filters: number, { kernel = 3, padding = 0 } = {}): Layer {
  return { kind: 'conv', filters, kernel, padding };
}

export function maxPool(size = 2): Layer {
  return { kind: 'maxPool', size };
}

export function dense(units: number): Layer {
  return { kind: 'dense', units };
}

export const relu: Layer = { kind: 'relu' };
export const flatten: Layer = { kind: 'flatten' };
