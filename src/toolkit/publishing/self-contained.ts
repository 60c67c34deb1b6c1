// The files of variants → files that hold all of their weights.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { embedExternalData } from '../graph/external-data.js';

/** @param folder gets a copy of each file whose weights lie in other files. @throws GraphError if one of these cannot be read. */
export async function selfContained(
  variants: ReadonlyMap<string, string>,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const whole = new Map<string, string>();
  for (const [variant, file] of variants) {
    const bytes = await readFile(file);
    const embedded = await embedExternalData(bytes, file);
    if (embedded === bytes) whole.set(variant, file);
    else {
      await mkdir(folder, { recursive: true });
      const copy = path.join(folder, `${variant}.onnx`);
      await writeFile(copy, embedded);
      whole.set(variant, copy);
    }
  }
  return whole;
}
