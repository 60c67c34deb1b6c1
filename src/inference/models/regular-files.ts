// A path in models/ → the bytes of a regular file of limited size. Anything else is refused without reading it.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CardError } from '../errors.js';

/** A card of a thousand labels and ten golden images of five variants takes a few megabytes. */
export const maxCardBytes = 64 * 1024 * 1024;

/**
 * Reads a regular file, and follows links. A read from a pipe or a device could wait or continue without an end.
 * @throws CardError when it is not a regular file, cannot be read, or has more than `maxBytes`.
 */
export async function readRegularFile(file: string, maxBytes: number): Promise<Buffer> {
  return await withRegularFile(file, async (handle, size) => {
    if (size > maxBytes) {
      const message = `${file}: has ${size} bytes, allowed are ${maxBytes}`;
      throw new CardError(message, { problem: 'file_unreadable' });
    }
    return await handle.readFile();
  });
}

/**
 * Opens a regular file, calls `use` with it and its size in bytes, and closes it.
 * @throws CardError when it is not a regular file or cannot be read; the errors of `use`.
 */
export async function withRegularFile<Result>(
  file: string,
  use: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  // Without O_NONBLOCK, opening a pipe waits for a process that writes to it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: Error) => {
    throw new CardError(`${file}: cannot be read: ${cause.message}`, { cause, problem: 'file_unreadable' });
  });
  try {
    const found = await handle.stat();
    if (!found.isFile())
      throw new CardError(`${file}: is not a regular file`, { problem: 'file_unreadable' });
    return await use(handle, found.size);
  } finally {
    await handle.close();
  }
}
