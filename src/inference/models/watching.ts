// a folder of models, looked at again and again → a call whenever it has changed and come to rest.
import { setTimeout as sleep } from 'node:timers/promises';
import { listVersionFolders } from './version-folders.js';

export interface FolderWatchOptions {
  everyMs: number;
  /** Awaited before the next look; what it rejects with goes to `onError`, and the next look calls it again. */
  onChange: () => Promise<void>;
  onError: (error: Error) => void;
}

/**
 * A change counts when two looks in a row see the same: a folder that is still being copied, or a version that is gone for the moment
 * in which another takes its place, is left alone. The first folder that rests counts as one.
 * @returns ends the looking.
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

/** @returns false when there is no next look. It keeps no process alive. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return await sleep(ms, true, { signal, ref: false }).catch(() => false);
}
