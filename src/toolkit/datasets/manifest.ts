// A dataset's folder → its validated dataset.json, and a check that the files match it.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Static, Type } from '#typebox';
import { Compile } from '#typebox/compile';
import { DatasetDamagedError, DatasetMissingError } from './errors.js';

const strict = { additionalProperties: false };
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

export const manifestFile = 'dataset.json';
export const arrayFiles = ['x_train.npy', 'y_train.npy', 'x_test.npy', 'y_test.npy'] as const;
/** Further files of a dataset with its own images to validate on. */
export const validationFiles = ['x_val.npy', 'y_val.npy'] as const;
export type ArrayFile = (typeof arrayFiles)[number] | (typeof validationFiles)[number];

export const Manifest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
    labels: Type.Array(Type.String(), {
      minItems: 2,
      maxItems: 256,
      description: 'The files y_*.npy hold i for label i.',
    }),
    counts: Type.Object(
      {
        train: Type.Integer({ minimum: 1 }),
        test: Type.Integer({ minimum: 1 }),
        validation: Type.Optional(Type.Integer({ minimum: 1 })),
      },
      { ...strict, description: 'Images of each split.' },
    ),
    source: Type.Union([
      Type.Object({ package: Type.String(), version: Type.String(), integrity: Type.String() }, strict),
      Type.Object(
        {
          folder: Type.String(),
          verified: Type.Boolean({
            description: 'Whether the checksums of the files are the published ones.',
          }),
        },
        strict,
      ),
    ]),
    files: Type.Object(
      {
        'x_train.npy': Sha256,
        'y_train.npy': Sha256,
        'x_test.npy': Sha256,
        'y_test.npy': Sha256,
        'x_val.npy': Type.Optional(Sha256),
        'y_val.npy': Type.Optional(Sha256),
      },
      { ...strict, description: 'sha256 of each array file.' },
    ),
    licence: Type.String(),
  },
  strict,
);
export type Manifest = Static<typeof Manifest>;

const validator = Compile(Manifest);

/**
 * Reads dataset.json.
 * @throws DatasetMissingError if it does not exist. It is written last, so the dataset is not finished then.
 * @throws DatasetDamagedError if it cannot be read or is not valid.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, manifestFile);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? ''))
      throw new DatasetDamagedError(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
    throw new DatasetMissingError(`${folder}: holds no prepared dataset; ${remedy(folder)}`, { cause });
  }
  return parseManifest(text, file, folder);
}

function parseManifest(text: string, file: string, folder: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DatasetDamagedError(`${file}: is not JSON; ${remedy(folder, true)}`, { cause });
  }
  if (validator.Check(json)) return json;
  const [first] = validator.Errors(json);
  const where = first?.instancePath === '' ? 'dataset' : first?.instancePath;
  throw new DatasetDamagedError(`${file}: ${where} ${first?.message}; ${remedy(folder, true)}`);
}

/** Returns the dataset's array files, in the order train, test, validation. */
export function filesOf({ counts }: Pick<Manifest, 'counts'>): readonly ArrayFile[] {
  return counts.validation === undefined ? arrayFiles : [...arrayFiles, ...validationFiles];
}

/** Returns the dataset's checksum: SHA-256 over the SHA-256 and the name of each array file, in their order. */
export function manifestSha256(manifest: Pick<Manifest, 'counts' | 'files'>): string {
  const hash = createHash('sha256');
  for (const name of filesOf(manifest)) hash.update(`${manifest.files[name]}  ${name}\n`);
  return hash.digest('hex');
}

/** Checks the array files. @throws DatasetDamagedError naming the first file that is missing or does not match dataset.json. */
export async function verifyFiles(folder: string, manifest: Manifest): Promise<void> {
  for (const name of filesOf(manifest)) {
    const file = path.join(folder, name);
    let got: string;
    try {
      got = await fileSha256(file);
    } catch (cause) {
      throw new DatasetDamagedError(
        `${file}: cannot be read: ${(cause as Error).message}; ${remedy(folder, true)}`,
        { cause },
      );
    }
    const expected = manifest.files[name];
    if (got !== expected)
      throw new DatasetDamagedError(
        `${file}: sha256: expected ${expected}, got ${got}; ${remedy(folder, true)}`,
      );
  }
}

/** Returns the SHA-256 of a file in hexadecimal, without loading the file whole. @throws errors of the file system. */
export async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Returns the command that makes a folder's dataset, guessed from the folder's name. */
export function remedy(folder: string, force = false): string {
  const name = path.basename(path.resolve(folder));
  const usual = path.resolve(folder) === path.resolve('data', name);
  const into = usual ? '' : ` --into ${folder}`;
  return `make it with: npx quati dataset prepare ${usual ? name : 'mnist'}${into}${force ? ' --force' : ''}`;
}
