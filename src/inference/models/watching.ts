// A folder of models, polled regularly → a call after each change, once the folder is stable.
import { setTimeout as sleep } from 'node:timers/promises';
import { listVersionFolders } from './version-folders.js';

export interface FolderWatchOptions {
  everyMs: number;
  /** Awaited before the next poll. If it rejects, `onError` gets the error and the next poll calls it again. */
  onChange: () => Promise<void>;
  onError: (error: Error) => void;
}

/**
 * Reports a change when two polls in a row see the same state. So it ignores a folder that is still being copied, and a version that is
 * absent only while another replaces it. The first stable state counts as a change.
 * @returns a function that stops the polling.
 */
export function watchFolder(models: string, { everyMs, onChange, onError }: FolderWatchOptions): () => void {
  const ended = new AbortController();
  void watch();
  return () => ended.abort();

  async function watch(): Promise<void> {
    let [known, last] = ['', ''];
    while (await pause(everyMs, ended.signal)) {
      try {
        const seen = JSON.stringify(await listVersionFolders(models));
        if (seen === last && seen !== known) {
          await onChange();
          known = seen;
        }
        last = seen;
      } catch (error) {
        onError(error as Error);
      }
    }
  }
}

/** Waits without keeping the process alive. @returns false when the polling has stopped. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return await sleep(ms, true, { signal, ref: false }).catch(() => false);
}
