// This machine → the block size of ONNX Runtime's blocked operators, if it has them and they agree with the plain ones.
import { loadRuntime } from '../../inference/workers/runtime.js';
import { GraphBuilder } from '../graph/builder.js';
import { encodeOnnx } from '../graph/onnx.js';
import { blockedFilters } from './blocked.js';

/** 16 with AVX-512 and on ARM64, 8 with AVX2. */
const candidates = [16, 8] as const;
const channels = 16;

/** Finds the block size. @returns undefined if the blocked operators are missing; training then uses standard operators. */
export async function probeBlockSize(): Promise<number | undefined> {
  for (const block of candidates) {
    if (await answersAlike(block).catch(() => false)) return block;
  }
  return undefined;
}

/** Runs one convolution in both layouts. With a wrong block size it runs too, but permutes channels. */
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

/** Values that every permutation of channels changes. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919) % 251) / 251 - 0.5);
}
