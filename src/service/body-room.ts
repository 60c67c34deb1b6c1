// bodies that arrive, wait or are parsed → a bound on their bytes, and on how many are parsed at the same time.
import { monotonicMs } from '../inference/clock.js';
import { DeadlineExceededError } from '../inference/errors.js';
import { ProblemError } from './errors.js';

/** Bodies up to this size are always taken: the number of connections bounds them. */
const smallBytes = 64 * 1024;

/** Large bodies that are decompressed or parsed at the same time. Two, so that one of them does not delay all others. */
const maxTurns = 2;

/** How long a request waits. */
export interface Patience {
  /** Aborted when the client has gone. */
  signal: AbortSignal;
  /** On the clock of clock.ts. */
  deadline: number;
}

/** The bytes of one body. */
export interface HeldBytes {
  /** @throws ProblemError queue_full if all bodies together have more than the limit, unless this one is alone or small. */
  add(bytes: number): void;
  /** May be called twice. */
  release(): void;
}

export class BodyRoom {
  #held = 0;
  #turns = 0;
  readonly #waiting = new Set<() => void>();

  constructor(readonly maxBytes: number) {}

  hold(): HeldBytes {
    let own = 0;
    return {
      add: (bytes) => {
        const others = this.#held - own;
        if (own + bytes > smallBytes && others > 0 && this.#held + bytes > this.maxBytes) {
          // What came of it is dropped, so that others can be completed.
          this.#held = others;
          own = 0;
          throw new ProblemError(
            'queue_full',
            `Other bodies hold ${others} bytes, and ${this.maxBytes} are allowed together: wait for Retry-After`,
          );
        }
        own += bytes;
        this.#held += bytes;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }

  /**
   * Runs `read` as soon as fewer than two others run. The order is that of arrival.
   * @throws what `read` throws, the reason of the signal, or DeadlineExceededError
   */
  async inTurn<Result>(patience: Patience, read: () => Promise<Result>): Promise<Result> {
    if (this.#turns < maxTurns) this.#turns++;
    else await this.#wait(patience);
    try {
      return await read();
    } finally {
      const [first] = this.#waiting;
      if (first) first();
      else this.#turns--;
    }
  }

  /** Resolves when another body passes its turn on. */
  #wait({ signal, deadline }: Patience): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(start);
        clearTimeout(late);
        signal.removeEventListener('abort', abort);
      };
      const start = () => {
        leave();
        resolve();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const late = setTimeout(
        () => {
          leave();
          reject(bodyTooLate());
        },
        Math.max(0, deadline - monotonicMs()),
      );
      this.#waiting.add(start);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
  }
}

export function bodyTooLate(): DeadlineExceededError {
  return new DeadlineExceededError('The deadline passed before the body was parsed');
}
