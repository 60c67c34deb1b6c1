// bytes and a seed → the same bytes damaged: flipped, cut, doubled, moved, filled, or with lengths that lie.
export type Random = () => number;

/** The same numbers in 0…1 for the same seed. */
export function seeded(seed: number): Random {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One to four damages after each other. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let damaged = Buffer.from(bytes);
  for (let left = 1 + below(random, 4); left > 0 && damaged.length > 0; left--) {
    const damage = damages[below(random, damages.length)];
    if (damage) damaged = damage(damaged, random);
  }
  return damaged;
}

type Damage = (bytes: Buffer<ArrayBuffer>, random: Random) => Buffer<ArrayBuffer>;

const interesting = [0, 1, 0x7f, 0x80, 0xff];

const damages: Damage[] = [
  function flipBits(bytes, random) {
    for (let left = 1 + below(random, 8); left > 0; left--) {
      const place = below(random, bytes.length);
      bytes[place] = (bytes[place] ?? 0) ^ (1 << below(random, 8));
    }
    return bytes;
  },
  function putInteresting(bytes, random) {
    const place = below(random, bytes.length);
    bytes.fill(
      interesting[below(random, interesting.length)] ?? 0,
      place,
      Math.min(bytes.length, place + 1 + below(random, 4)),
    );
    return bytes;
  },
  function cutEnd(bytes, random) {
    return bytes.subarray(0, below(random, bytes.length));
  },
  function leaveOut(bytes, random) {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function doublePart(bytes, random) {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  function movePart(bytes, random) {
    const [from, to] = range(bytes, random);
    const rest = Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    const place = below(random, rest.length + 1);
    return Buffer.concat([rest.subarray(0, place), bytes.subarray(from, to), rest.subarray(place)]);
  },
  function lieOfLength(bytes, random) {
    if (bytes.length < 4) return bytes;
    bytes.writeUInt32BE(below(random, 2 ** 32), below(random, bytes.length - 3));
    return bytes;
  },
];

/** Of at most 64 bytes. */
function range(bytes: Buffer, random: Random): [number, number] {
  const from = below(random, bytes.length);
  return [from, Math.min(bytes.length, from + 1 + below(random, 64))];
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
