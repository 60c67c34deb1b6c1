// a buffer that nobody needs any more → its memory, given back at once.
import { MessageChannel } from 'node:worker_threads';

const { port1: nowhere, port2 } = new MessageChannel();
port2.close();

/**
 * The garbage collector of a thread lets about 64 MB of dead buffers collect first. A message to a closed port is dropped, together with
 * the buffers that move with it. Afterwards the buffer and its views have no bytes. Node 20 has no ArrayBuffer.prototype.transfer.
 */
export function freeBuffer(buffer: ArrayBuffer): void {
  if (buffer.byteLength > 0) nowhere.postMessage(undefined, [buffer]);
}
