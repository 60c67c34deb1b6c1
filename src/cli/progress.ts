// How far a command has come → a bar on a terminal, plain lines in a pipe.
import { MultiBar } from 'cli-progress';
import type { CliStream } from './io.js';

export interface ProgressOptions {
  title: string;
  total: number;
  /** Shows the time left, where steps take about equally long. */
  eta?: boolean;
  /** In a pipe: every new text on a line of its own, or nothing. */
  inPipe?: 'lines' | 'nothing';
}

export interface Progress {
  /** `text` says what is going on, e.g. the current step or the loss. */
  update: (done: number, text?: string) => void;
  /** Runs something that prints lines, without the bar in their way. */
  above: (print: () => void) => void;
  /** Takes the bar away, also when it is called again: call it in a `finally`. */
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
