// A running service → docs/playground-light.png and docs/playground-dark.png, for the README.
//
//   npm start &  npm run screenshot [http://localhost:8000]
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';

const url = process.argv[2] ?? 'http://localhost:8000';
const samples = path.join('imgs', 'mnist');
const files = readdirSync(samples)
  .slice(0, 9)
  .map((name) => path.join(samples, name));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const colorScheme of ['light', 'dark'] as const) {
  const viewport = { width: 1080, height: 960 };
  const page = await browser.newPage({ colorScheme, viewport, locale: 'en-US', reducedMotion: 'reduce' });
  await page.goto(url);
  await page.locator('#model:enabled').selectOption('mnist');
  await page.locator('#files').setInputFiles(files);
  await page.locator('.entry[data-state=asking]').first().waitFor({ state: 'detached' });
  await drawThree(page);
  await page.locator('.entry[title^=drawing][data-state=answered]').waitFor();
  await page.locator('#seen:not([hidden])').waitFor();
  await page.screenshot({ path: `docs/playground-${colorScheme}.png` });
}
await browser.close();

async function drawThree(page: Page): Promise<void> {
  const { x, y, width } = (await page.locator('#canvas').boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const points = [...arc(0.34, -2.4, 1.6), ...arc(0.66, -1.6, 2.4)];
  for (const [i, [across, down]] of points.entries()) {
    await page.mouse.move(x + across * width, y + down * width, { steps: 3 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

/**
 * Returns points of a flat arc, as fractions of the canvas's width.
 * @param centre the height of its centre.
 * @param from the first angle in radians; `to` is the last.
 */
function arc(centre: number, from: number, to: number): [x: number, y: number][] {
  return Array.from({ length: 30 }, (_, i) => {
    const angle = from + (i / 29) * (to - from);
    return [0.48 + 0.19 * Math.cos(angle), centre + 0.16 * Math.sin(angle)];
  });
}
