// What a visitor of the playground does: draw, drop, paste, and read the answer.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';

/** In parts of the pad's side. */
type Point = [x: number, y: number];

export const seven: Point[] = [
  [0.28, 0.22],
  [0.72, 0.2],
  [0.45, 0.82],
];

/** One stroke of the mouse, in small steps. */
export async function draw(page: Page, [first = [0.5, 0.5], ...others]: Point[]): Promise<void> {
  const pad = page.locator('#stage[data-mode=draw] canvas');
  const { x, y, width } = (await pad.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const place = ([across, down]: Point): Point => [x + across * width, y + down * width];
  await page.mouse.move(...place(first));
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...place(point), { steps: 8 });
  await page.mouse.up();
}

/** Files that are dropped, or pasted, at once: as the browser itself tells of them. */
export async function bring(page: Page, event: 'drop' | 'paste', files: readonly string[]): Promise<void> {
  const contents = files.map((file) => ({
    name: path.basename(file),
    base64: readFileSync(file).toString('base64'),
  }));
  await page.evaluate(
    `for (const [event, contents] of [${JSON.stringify([event, contents])}]) {
      const transfer = new DataTransfer();
      for (const { name, base64 } of contents)
        transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      const init = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
      const Kind = event === 'drop' ? DragEvent : ClipboardEvent;
      document.body.dispatchEvent(new Kind(event, init));
    }`,
  );
}

/** Waits for the state of what is selected. */
export async function untilAnswer(
  page: Page,
  state: 'answered' | 'failed' | 'empty' = 'answered',
): Promise<void> {
  await page.locator(`#answer[data-state=${state}]`).waitFor();
}

/** What stands under each picture of the strip, once none is asked about any more. */
export async function readStrip(page: Page): Promise<{ file: string; category: string }[]> {
  await page.locator('.entry').first().waitFor();
  await page.locator('.entry[data-state=asking]').first().waitFor({ state: 'detached' });
  const entries = await page.locator('.entry').all();
  return Promise.all(
    entries.map(async (entry) => ({
      file: (await entry.getAttribute('title')) ?? '',
      category: (await entry.locator('.name').textContent()) ?? '',
    })),
  );
}
