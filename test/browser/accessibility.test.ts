// The playground in a real browser: axe-core's rules, and the tab key.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import t from 'tap';
import { openSite, skip } from '../helpers/browser.js';
import { truncatedPng } from '../helpers/images.js';
import { draw, seven, untilAnswer } from '../helpers/playground.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  nodes: { html: string }[];
}

/** Every rule of axe-core, best practices too. */
async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as { violations: Violation[] };
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

t.test('accessibility', { skip }, async (t) => {
  const site = await openSite(t);

  for (const colorScheme of ['light', 'dark'] as const)
    await t.test(
      `axe-core finds nothing: ${colorScheme}, empty, answered and failed, wide and at 360 px`,
      async (t) => {
        const page = await site.open('/', { colorScheme, reducedMotion: 'reduce' });
        await page.locator('#model:enabled').waitFor();
        t.same(await findViolations(page), [], 'empty');
        await draw(page, seven);
        await untilAnswer(page);
        await page.locator('#seen:not([hidden])').waitFor();
        t.same(await findViolations(page), [], 'answered');
        await page.setViewportSize({ width: 360, height: 740 });
        t.same(await findViolations(page), [], 'answered at 360 px');
        await page
          .locator('#files')
          .setInputFiles([{ name: 'broken.png', mimeType: 'image/png', buffer: truncatedPng() }]);
        await untilAnswer(page, 'failed');
        t.same(await findViolations(page), [], 'failed');
      },
    );

  await t.test('everything is reached by the tab key, in the order of the page', async (t) => {
    const page = await site.open();
    await draw(page, seven);
    await untilAnswer(page);
    // From the pad, where the mouse was, through the browser's own controls and round to the pad.
    const expected = [
      ...['pick', 'undo', 'save', 'clear', 'curl', 'copy', 'forget', 'entry', ''],
      ...['brand', 'plain', 'language', 'theme', 'model', 'variant', 'pad'],
    ];
    const reached: unknown[] = [];
    for (const _ of expected) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate('document.activeElement.id || document.activeElement.className'));
    }
    t.same(reached, expected);
  });

  t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
});
