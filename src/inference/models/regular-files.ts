// a path in models/ → the bytes of a regular file of a bounded size; anything else is refused without being read.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CardError } from '../errors.js';

/** A card of a thousand labels and ten golden images of five variants takes a few megabytes. */
export const maxCardBytes = 64 * 1024 * 1024;

/**
 * A pipe or a device in place of a file would be waited for, or read without an end; links are followed to what they lead to.
 * @throws CardError when it is no regular file, cannot be read, or has more than `maxBytes`.
 */
export async function readRegularFile(file: string, maxBytes: number): Promise<Buffer> {
  return await withRegularFile(file, async (handle, size) => {
    if (size > maxBytes) {
      const message = `${file}: has ${size} bytes, at most ${maxBytes} are read`;
      throw new CardError(message, { problem: 'file_unreadable' });
    }
    return await handle.readFile();
  });
}

/**
 * Opens a regular file, calls `use` with it and its size in bytes, and closes it.
 * @throws CardError when it is no regular file or cannot be read; what `use` throws.
 */
export async function withRegularFile<Result>(
  file: string,
  use: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  // Without O_NONBLOCK opening a pipe waits for somebody who writes into it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: Error) => {
    throw new CardError(`${file}: cannot be read: ${cause.message}`, { cause, problem: 'file_unreadable' });
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new CardError(`${file}: is no regular file`, { problem: 'file_unreadable' });
    return await use(handle, found.size);
  } finally {
    await handle.close();
  }
}
