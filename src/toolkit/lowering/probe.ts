// This machine → the block size of its ONNX Runtime's blocked operators, if it has them and they answer as the plain ones do.
import { loadRuntime } from '../../inference/workers/runtime.js';
import { GraphBuilder } from '../graph/builder.js';
import { encodeOnnx } from '../graph/onnx.js';
import { blockedFilters } from './blocked.js';

/** 16 where registers hold sixteen floats (AVX-512) or the kernels of ARM64 say so, 8 with AVX2. */
const candidates = [16, 8] as const;
const channels = 16;

/** @returns undefined where the blocked operators are missing: the portable path serves then. */
export async function probeBlockSize(): Promise<number | undefined> {
  for (const block of candidates) {
    if (await answersAlike(block).catch(() => false)) return block;
  }
  return undefined;
}

/** One convolution in both layouts. A wrong block size loads and runs, but permutes channels. */
async function answersAlike(block: number): Promise<boolean> {
  const builder = new GraphBuilder('probe');
  const x = builder.input('x', [1, channels, 4, 4]);
  const weight = builder.input('weight', [channels, channels, 3, 3]);
  const attributes = { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } };
  builder.output(builder.op('Conv', [x, weight], attributes), 'plain');
  const filters = blockedFilters(builder, weight, block);
  const blocked = builder.op('nchwc.Conv', [builder.op('nchwc.ReorderInput', [x]), filters], attributes);
  const reordered = builder.op('nchwc.ReorderOutput', [blocked], { channels: { int: channels } });
  builder.output(reordered, 'blocked');
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(encodeOnnx(builder.build()), { logSeverityLevel: 4 });
  try {
    const results = await session.run({
      x: new Tensor('float32', ramp(channels * 16), [1, channels, 4, 4]),
      weight: new Tensor('float32', ramp(channels * channels * 9), [channels, channels, 3, 3]),
    });
    const [plain, other] = ['plain', 'blocked'].map((name) => results[name]?.data as Float32Array);
    return plain?.every((value, i) => Math.abs(value - (other?.[i] ?? Number.NaN)) < 1e-3) ?? false;
  } finally {
    await session.release();
  }
}

/** Values that no permutation of channels leaves alike. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919) % 251) / 251 - 0.5);
}
