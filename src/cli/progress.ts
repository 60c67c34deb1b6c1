// A command's progress → a bar on a terminal, plain lines in a pipe.
import { MultiBar } from 'cli-progress';
import type { CliStream } from './io.js';

export interface ProgressOptions {
  title: string;
  total: number;
  /** Shows the time left; for steps that take about the same time. */
  eta?: boolean;
  /** In a pipe: prints each new text on a separate line, or prints nothing. */
  inPipe?: 'lines' | 'nothing';
}

export interface Progress {
  /** `text` is shown next to the bar, e.g. the current step or the loss. */
  update: (done: number, text?: string) => void;
  /** Runs a function that prints lines, and hides the bar meanwhile. */
  above: (print: () => void) => void;
  /** Removes the bar. Call it in a `finally`; a second call is allowed. */
  stop: () => void;
}

export function createProgress(stream: CliStream, options: ProgressOptions): Progress {
  return stream.isTTY === true ? createBar(stream, options) : createLines(stream, options);
}

function createBar(stream: CliStream, { title, total, eta = false }: ProgressOptions): Progress {
  const bars = new MultiBar({
    stream,
    format: `${title} {bar} {value}/{total}${eta ? ' {eta_formatted} left' : ''} {text}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    linewrap: true,
    clearOnComplete: true,
    forceRedraw: true,
  });
  const bar = bars.create(total, 0, { text: '' });
  return {
    update: (done, text) => bar.update(done, text === undefined ? {} : { text }),
    above: (print) => {
      stream.write('\r\x1b[2K');
      print();
      bar.render();
    },
    stop: () => {
      if (bars.isActive) bars.stop();
    },
  };
}

function createLines(stream: CliStream, { title, inPipe = 'lines' }: ProgressOptions): Progress {
  let last: string | undefined;
  return {
    update: (_done, text) => {
      if (inPipe === 'nothing' || text === undefined || text === last) return;
      last = text;
      stream.write(`${title}: ${text}\n`);
    },
    above: (print) => print(),
    stop: () => undefined,
  };
}
