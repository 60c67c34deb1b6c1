// an embedded ICC profile → whether it is sRGB, so that converting to sRGB would change nothing.

/**
 * Red, green and blue of sRGB (IEC 61966-2-1) in XYZ, adapted to D50 as in ICC.1:2022, annex E. A profile rounds them to 1/65,536,
 * and the program that made it may have rounded before.
 */
const colourants = {
  rXYZ: [0.4361, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7141],
} as const;
const colourantTolerance = 0.001;
const [headerLength, tagLength] = [128, 12];

type Curve = (value: number) => number;

/** The bounds between 8-bit levels, as linear light: half a level below each level, and half a level above the last. */
const borders = Float64Array.from({ length: 257 }, (_, level) => toLight((level - 0.5) / 255));

/**
 * Compares the numbers of a profile, not its name. It is sRGB if it has the primaries of sRGB, and curves that map every 8-bit level
 * to light that sRGB rounds to the same level. Profiles with lookup tables (A2B0 and similar) never count as sRGB.
 */
export function isSrgbProfile(profile: Uint8Array): boolean {
  const bytes = Buffer.from(profile.buffer, profile.byteOffset, profile.length);
  try {
    const kind = [16, 20, 36].map((at) => bytes.toString('latin1', at, at + 4));
    if (kind.join() !== 'RGB ,XYZ ,acsp') return false;
    const tags = readTags(bytes);
    if ([...tags.keys()].some((name) => /^[AD]2B/.test(name))) return false;
    return (
      Object.entries(colourants).every(([name, wanted]) => isColourant(tags.get(name), wanted)) &&
      ['rTRC', 'gTRC', 'bTRC'].every((name) => isSrgbCurve(readCurve(tags.get(name))))
    );
  } catch (error) {
    // An offset points outside the profile. libvips may still be able to use it.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The table of tags (ICC.1:2022, section 7.3): their number, then name, offset and length of each. */
function readTags(bytes: Buffer): Map<string, Buffer> {
  const tags = new Map<string, Buffer>();
  const count = Math.min(bytes.readUInt32BE(headerLength), bytes.length / tagLength);
  for (let i = 0; i < count; i++) {
    const at = headerLength + 4 + i * tagLength;
    const from = bytes.readUInt32BE(at + 4);
    tags.set(bytes.toString('latin1', at, at + 4), bytes.subarray(from, from + bytes.readUInt32BE(at + 8)));
  }
  return tags;
}

function isColourant(tag: Buffer | undefined, wanted: readonly number[]): boolean {
  if (tag?.toString('latin1', 0, 4) !== 'XYZ ') return false;
  return wanted.every((value, i) => Math.abs(fixed(tag, 8 + 4 * i) - value) <= colourantTolerance);
}

/** Reads curveType with a table (section 10.6) and parametricCurveType of function 3, which sRGB uses (10.18). */
function readCurve(tag: Buffer | undefined): Curve | undefined {
  const type = tag?.toString('latin1', 0, 4);
  if (tag && type === 'curv') {
    const last = tag.readUInt32BE(8) - 1;
    return last < 1 ? undefined : (value) => interpolate(tag, value * last, last);
  }
  if (!tag || type !== 'para' || tag.readUInt16BE(8) !== 3) return undefined;
  const [gamma = 0, a = 0, b = 0, c = 0, limit = 0] = [12, 16, 20, 24, 28].map((at) => fixed(tag, at));
  return (value) => (value >= limit ? (a * value + b) ** gamma : c * value);
}

function interpolate(tag: Buffer, position: number, last: number): number {
  const below = Math.min(Math.floor(position), last - 1);
  const [from, to] = [below, below + 1].map((i) => tag.readUInt16BE(12 + 2 * i) / 65_535) as [number, number];
  return from + (to - from) * (position - below);
}

function isSrgbCurve(curve: Curve | undefined): boolean {
  if (!curve) return false;
  for (let level = 0; level <= 255; level++) {
    const light = curve(level / 255);
    if (!(light >= (borders[level] as number) && light <= (borders[level + 1] as number))) return false;
  }
  return true;
}

/** IEC 61966-2-1, formula 5. */
function toLight(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** s15Fixed16Number. */
function fixed(tag: Buffer, at: number): number {
  return tag.readInt32BE(at) / 65_536;
}
