// The playground's appearance in a real browser: language, theme, 360 px, and a stable layout.
import type { Page } from 'playwright-core';
import t from 'tap';
import { openSite, skip } from '../helpers/browser.js';
import { truncatedPng } from '../helpers/images.js';
import { draw, seven, untilAnswer } from '../helpers/playground.js';

const phone = { viewport: { width: 360, height: 740 } };

async function untilModels(page: Page): Promise<void> {
  await page.locator('#model:enabled').waitFor();
}

t.test('appearance', { skip }, async (t) => {
  const site = await openSite(t);

  await t.test(
    'a Portuguese browser gets Portuguese; the language switch is remembered, and names the other language',
    async (t) => {
      const page = await site.open('/', { locale: 'pt-BR' });
      t.equal(await page.locator('h1').innerText(), 'O que há na imagem?');
      t.equal(await page.getAttribute('html', 'lang'), 'pt-BR');
      t.equal(await page.locator('#language').innerText(), 'English');
      await page.locator('#language').click();
      t.equal(await page.locator('h1').innerText(), 'What is in the picture?');
      await page.reload();
      t.equal(await page.getAttribute('html', 'lang'), 'en');
      const other = await site.open('/', { locale: 'fr-FR' });
      t.equal(await other.getAttribute('html', 'lang'), 'en', 'English for everybody else');
    },
  );

  await t.test('a dark system gets the dark theme; the theme switch is remembered', async (t) => {
    const ground = (page: Page) =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await site.open();
    const dark = await site.open('/', { colorScheme: 'dark' });
    t.not(await ground(light), await ground(dark));
    await light.locator('#theme').click();
    t.equal(await ground(light), await ground(dark));
    t.match(await light.locator('#theme').getAttribute('aria-label'), 'light');
    await light.reload();
    t.equal(await ground(light), await ground(dark));
  });

  for (const locale of ['en-US', 'pt-BR'])
    await t.test(`at 360 px nothing is cut off or scrolls sideways, in ${locale}`, async (t) => {
      const page = await site.open('/', { ...phone, locale });
      const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
      await untilModels(page);
      t.equal(await overflow(), 0, 'empty');
      await draw(page, seven);
      await untilAnswer(page);
      t.equal(await overflow(), 0, 'answered');
      const { y = 0, height = 0 } = (await page.locator('#category').boundingBox()) ?? {};
      t.ok(y + height <= 740, 'the answer is seen without scrolling');
    });

  for (const viewport of [{ width: 1200, height: 900 }, phone.viewport])
    await t.test(
      `no box moves when a prediction or a problem appears, ${viewport.width} px wide`,
      async (t) => {
        const page = await site.open('/', { viewport });
        await untilModels(page);
        const boxes = () =>
          page.evaluate(
            "JSON.stringify(['#stage', '.tools', '.head', '#bars', '.times', '.curl'].map((name) => document.querySelector(name).getBoundingClientRect()))",
          );
        const before = await boxes();
        await draw(page, seven);
        await untilAnswer(page);
        await page.locator('#seen:not([hidden])').waitFor();
        t.equal(await boxes(), before, 'answered');
        await page
          .locator('#files')
          .setInputFiles([{ name: 'broken.png', mimeType: 'image/png', buffer: truncatedPng() }]);
        await untilAnswer(page, 'failed');
        await page.evaluate('scrollTo(0, 0)');
        t.equal(await boxes(), before, 'failed');
      },
    );

  t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
});
