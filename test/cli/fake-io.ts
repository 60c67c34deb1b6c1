// A CliIo that stores everything written to it.
import { PassThrough } from 'node:stream';
import type { CliIo, CliStream, ColourLevel } from '../../src/cli/io.js';

export interface FakeIo extends CliIo {
  /** Everything written so far. */
  out: () => string;
  err: () => string;
  interrupt: () => void;
}

export interface FakeIoOptions {
  colourLevel?: ColourLevel;
  /** Whether stderr is a terminal. */
  terminal?: boolean;
}

export function fakeIo({ colourLevel = 0, terminal = false }: FakeIoOptions = {}): FakeIo {
  const stdout = recorder();
  const stderr = recorder();
  const controller = new AbortController();
  return {
    stdout: stdout.stream,
    stderr: Object.assign(stderr.stream, terminal ? { isTTY: true, columns: 200 } : {}),
    colourLevel,
    onInterrupt: () => controller.signal,
    out: stdout.text,
    err: stderr.text,
    interrupt: () => controller.abort(),
  };
}

function recorder(): { stream: CliStream; text: () => string } {
  let text = '';
  const stream: CliStream = new PassThrough({ encoding: 'utf8' }).on('data', (chunk: string) => {
    text += chunk;
  });
  return { stream, text: () => text };
}
