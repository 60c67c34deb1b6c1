// files and a seed → files that were damaged, or put together from two; the same for the same seed.
import { mutate, type Random, seeded } from '../../../test/helpers/mutate.js';

/** Returns `count` files. Every third is the start of one file and the end of another; the others have one to four damages. */
export function* mutations(files: readonly Buffer[], count: number, seed: number): Generator<Buffer> {
  const random = seeded(seed);
  const one = () => files[Math.floor(random() * files.length)] ?? Buffer.alloc(0);
  for (let i = 0; i < count; i++) yield i % 3 === 2 ? splice(one(), one(), random) : mutate(one(), random);
}

/** Joins the beginning of the first and the end of the second, cut at random places. */
export function splice(first: Buffer, second: Buffer, random: Random): Buffer {
  const [until, from] = [first, second].map(({ length }) => Math.floor(random() * (length + 1)));
  return Buffer.concat([first.subarray(0, until), second.subarray(from)]);
}
