// The values of a graph during lowering, in plain layout (NCHW), in blocked layout, or in both. Each is converted on first use.
import { type GraphBuilder, staticShape } from '../graph/builder.js';
import type { Dim, Value } from '../graph/graph.js';

export type Layout = 'plain' | 'blocked';

/**
 * Blocked layout is ONNX Runtime's own for convolutions on CPUs, [N, C / block, H, W, block]. A block of channels is as wide
 * as a vector register. Elementwise operators need no conversion.
 */
export class Layouts {
  readonly #known: Record<Layout, Map<string, Value>> = { plain: new Map(), blocked: new Map() };

  constructor(
    readonly builder: GraphBuilder,
    readonly block: number,
  ) {}

  define(name: string, value: Value, layout: Layout): void {
    this.#known[layout].set(name, value);
  }

  has(name: string, layout: Layout): boolean {
    return this.#known[layout].has(name);
  }

  /** Returns the logical shape, which both layouts have. */
  shapeOf(name: string): readonly Dim[] {
    const known = this.#known.plain.get(name) ?? this.#known.blocked.get(name);
    return (known ?? this.builder.value(name)).type.shape;
  }

  /** Returns the value in plain layout. */
  plain(name: string): Value {
    const known = this.#known.plain.get(name);
    if (known) return known;
    const blocked = this.#known.blocked.get(name);
    const value = blocked
      ? this.builder.op('nchwc.ReorderOutput', [blocked], {
          channels: { int: Number(blocked.type.shape[1]) },
        })
      : this.builder.value(name);
    this.define(name, value, 'plain');
    return value;
  }

  /** Returns the value in blocked layout. */
  blocked(name: string): Value {
    const known = this.#known.blocked.get(name);
    if (known) return known;
    const value = this.builder.op('nchwc.ReorderInput', [this.plain(name)]);
    this.define(name, value, 'blocked');
    return value;
  }

  /** Whether a value's channels fill whole blocks. */
  fits(value: Value): boolean {
    const { shape } = value.type;
    return shape.length === 4 && Number(shape[1]) % this.block === 0;
  }

  /** Returns the shape of a blocked value as stored, [N, C / block, H, W, block], for reshapes and transposes. */
  unfolded(value: Value): number[] {
    const [batch = 0, channels = 0, height = 0, width = 0] = staticShape(value);
    return [batch, channels / this.block, height, width, this.block];
  }
}
