// Failures in a real browser: a sentence with the remedy, in the language of the page.
import path from 'node:path';
import t from 'tap';
import { openSite, skip } from '../helpers/browser.js';
import { truncatedPng } from '../helpers/images.js';
import { bring, draw, seven, untilAnswer } from '../helpers/playground.js';
import { projectFolder } from '../helpers/project.js';

t.test('faults', { skip }, async (t) => {
  const site = await openSite(t);
  const failure = (page: Awaited<ReturnType<typeof site.open>>) => page.locator('#failure-text').innerText();

  await t.test('a damaged image is reported as damaged, in both languages', async (t) => {
    const page = await site.open();
    await page.locator('#model:enabled').waitFor();
    const broken = { name: 'broken.png', mimeType: 'image/png', buffer: truncatedPng() };
    await page.locator('#files').setInputFiles([broken]);
    await untilAnswer(page, 'failed');
    t.match(await failure(page), 'The file is damaged');
    t.match(await page.locator('#announcement').textContent(), 'broken.png: failed. The file is damaged');
    await page.locator('#language').click();
    t.match(await failure(page), 'O arquivo está danificado');
  });

  await t.test('a file that is not an image, or is empty, does not affect the others', async (t) => {
    const page = await site.open();
    await page.locator('#model:enabled').waitFor();
    await bring(page, 'drop', [path.join(projectFolder, 'package.json')]);
    await untilAnswer(page, 'failed');
    t.match(await failure(page), 'The server cannot read this file as a picture');
    await page
      .locator('#files')
      .setInputFiles([{ name: 'empty.png', mimeType: 'image/png', buffer: Buffer.alloc(0) }]);
    await page.locator('#failure-text', { hasText: 'Is the file empty?' }).waitFor();
    await draw(page, seven);
    await untilAnswer(page);
  });

  await t.test('a response that is not a problem of Quati is reported as not understood', async (t) => {
    const page = await site.open();
    await page.locator('#stage[data-mode=draw]').waitFor();
    await page.route('**/predict?*', (route) => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }));
    await draw(page, seven);
    await untilAnswer(page, 'failed');
    t.match(await failure(page), 'The answer can’t be understood');
  });

  await t.test('the page asks for a required API key, and never shows it', async (t) => {
    const page = await site.open('/health/live');
    const unauthorised = { status: 401, json: { code: 'unauthorised' } };
    await page.route('**/models', (route) =>
      route.request().headers()['x-api-key'] === 'a-secret' ? route.continue() : route.fulfill(unauthorised),
    );
    await page.goto(site.url);
    await page.locator('#key').fill('a-secret');
    await page.locator('#key').press('Enter');
    await page.locator('#stage[data-mode=draw]').waitFor();
    await draw(page, seven);
    await untilAnswer(page);
    t.match(await page.locator('#curl').inputValue(), 'curl -H "x-api-key: $KEY" -F');
    t.notMatch(page.url(), 'a-secret');
  });

  await t.test('a stopped service is reported as unreachable, and the page offers a retry', async (t) => {
    const page = await site.open();
    await page.locator('#stage[data-mode=draw]').waitFor();
    await site.app.close();
    await draw(page, seven);
    await untilAnswer(page, 'failed');
    t.match(await failure(page), 'The server does not answer');
    await page.locator('#language').click();
    t.match(await failure(page), 'O servidor não responde');
  });

  t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
});
