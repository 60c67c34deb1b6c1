// pictures → entries. Each sends its picture, a few at the same time, and holds the answer or the problem.
import { predict, preview, ServiceError } from './service.js';

/**
 * @typedef {import('./service.js').Choice} Choice
 * @typedef {import('./service.js').Answer} Answer
 */

/**
 * @typedef {object} Entry
 * @property {string} name the name of its file.
 * @property {boolean} drawn
 * @property {Blob} picture
 * @property {string} url the URL of the picture in this page.
 * @property {'asking' | 'answered' | 'failed'} state
 * @property {Choice} choice the model and variant of its last request.
 * @property {Answer} [answer] the last answer, also during the next request.
 * @property {ServiceError} [problem]
 * @property {string | undefined} [seen] the URL of the image that the model sees.
 * @property {AbortController} [asked] ends the request in progress.
 */

const atOnce = 4;
const mostEntries = 200;

/**
 * @param {{ choose: () => Choice, onChange: (entry: Entry) => void }} options
 */
export function createEntries({ choose, onChange }) {
  /** @type {Entry[]} the latest first. */
  const entries = [];
  const inTurn = createTurns(atOnce);

  /** @param {Entry} entry */
  async function ask(entry) {
    entry.asked?.abort();
    const asked = new AbortController();
    const { signal } = asked;
    forgetSeen(entry);
    Object.assign(entry, { asked, choice: choose(), state: 'asking' });
    onChange(entry);
    try {
      const { name, choice } = entry;
      const answer = await inTurn(async () => predict(await readFile(entry), { name, signal, ...choice }));
      if (!signal.aborted) Object.assign(entry, { state: 'answered', answer, problem: undefined });
    } catch (error) {
      if (!signal.aborted)
        Object.assign(entry, { state: 'failed', answer: undefined, problem: toProblem(error) });
    }
    if (!signal.aborted) onChange(entry);
  }

  /** Requests the image that the model saw, when the entry is shown. @param {Entry} entry */
  async function see(entry) {
    const { asked, name, picture, choice } = entry;
    if (entry.seen !== undefined || !asked) return;
    entry.seen = '';
    try {
      const seen = await inTurn(() => preview(picture, { name, signal: asked.signal, ...choice }));
      if (asked.signal.aborted) return;
      entry.seen = URL.createObjectURL(seen);
      onChange(entry);
    } catch {
      // The answer is valid without it. It is requested again when the entry is shown again.
      if (!asked.signal.aborted) entry.seen = undefined;
    }
  }

  return {
    all: () => entries,
    ask,
    see,
    /** @param {{ name: string, picture: Blob, drawn: boolean }[]} pictures @returns {Entry[]} */
    add(pictures) {
      const added = pictures.map((picture) => createEntry(picture, choose()));
      entries.unshift(...added);
      for (const entry of entries.splice(mostEntries)) release(entry);
      return added;
    },
    /** @param {Entry} entry @param {Blob} picture replaces the one before. */
    replace(entry, picture) {
      URL.revokeObjectURL(entry.url);
      Object.assign(entry, { picture, url: URL.createObjectURL(picture) });
    },
    clear() {
      for (const entry of entries.splice(0)) release(entry);
    },
  };
}

/**
 * @param {{ name: string, picture: Blob, drawn: boolean }} picture
 * @param {Choice} choice
 * @returns {Entry}
 */
function createEntry({ name, picture, drawn }, choice) {
  return { name, picture, drawn, url: URL.createObjectURL(picture), state: 'asking', choice };
}

/** @param {Entry} entry */
function release(entry) {
  entry.asked?.abort();
  forgetSeen(entry);
  URL.revokeObjectURL(entry.url);
}

/** @param {Entry} entry */
function forgetSeen(entry) {
  if (entry.seen) URL.revokeObjectURL(entry.seen);
  entry.seen = undefined;
}

/** Reads the file first: a folder or a deleted file would otherwise look like a server that does not respond. @param {Entry} entry */
async function readFile({ picture }) {
  try {
    return new Blob([await picture.arrayBuffer()], { type: picture.type });
  } catch {
    throw new ServiceError('unreadable_file');
  }
}

/** @param {unknown} error */
function toProblem(error) {
  return error instanceof ServiceError ? error : new ServiceError('unknown', { detail: String(error) });
}

/** @param {number} limit the most tasks that run at the same time. */
function createTurns(limit) {
  let running = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  return /** @template T @param {() => Promise<T>} task */ async (task) => {
    if (running < limit) running++;
    else await new Promise((/** @type {(value?: undefined) => void} */ resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
