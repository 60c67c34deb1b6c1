// Images in a real browser: dropped, pasted, chosen → correct predictions of every bundled model; the copied curl line.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { categoryOf, findImages } from '../../src/cli/image-files.js';
import { openSite, skip } from '../helpers/browser.js';
import { bring, readStrip, untilAnswer } from '../helpers/playground.js';
import { projectFolder } from '../helpers/project.js';

const run = promisify(execFile);
const models = readdirSync(path.join(projectFolder, 'models'));

t.test('pictures', { skip }, async (t) => {
  const site = await openSite(t);

  for (const model of models)
    await t.test(`the samples of ${model} are dropped together, and classified correctly`, async (t) => {
      const page = await site.open();
      await page.locator(`#model option[value="${model}"]`).waitFor({ state: 'attached' });
      await page.locator('#model').selectOption(model);
      const files = await findImages([path.join(projectFolder, 'imgs', model)]);
      await bring(page, 'drop', files);
      const answers = await readStrip(page);
      t.same(
        answers.map(({ file }) => file),
        files.map((file) => path.basename(file)),
      );
      const { card } = (await site.app.inject(`/models/${model}`)).json().versions.at(-1);
      const right = answers.filter(({ category }, i) => category === categoryOf(files[i] ?? '', card.labels));
      t.ok(right.length / files.length >= 0.9, `${right.length} of ${files.length}`);
      await untilAnswer(page);
      await page.locator('#seen:not([hidden])').waitFor();
      t.equal(await page.evaluate("document.querySelector('#seen').naturalWidth"), card.input.width);
      if (files.length > 1)
        t.match(
          await page.locator('#announcement').textContent(),
          `${files.length} pictures answered, 0 failed`,
        );
    });

  const model = 'mnist';
  const [sample = '', other = ''] = await findImages([path.join(projectFolder, 'imgs', model)]);

  await t.test('a pasted and a chosen image are classified; the strip shows each again', async (t) => {
    const page = await site.open();
    await page.locator('#model:enabled').selectOption(model);
    await bring(page, 'paste', [sample]);
    await untilAnswer(page);
    const chooser = page.waitForEvent('filechooser');
    await page.locator('#pick').click();
    await (await chooser).setFiles([other]);
    const [picked, pasted] = await readStrip(page);
    t.equal(pasted?.file, path.basename(sample));
    t.equal(picked?.file, path.basename(other));
    await page.locator('.entry').nth(1).press('Enter');
    t.equal(await page.locator('.entry').nth(1).getAttribute('aria-pressed'), 'true');
    t.match(await page.locator('#curl').inputValue(), path.basename(sample));
  });

  await t.test('the copied curl line gets the same prediction as the page', async (t) => {
    const page = await site.open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.locator('#model:enabled').selectOption(model);
    await bring(page, 'drop', [sample]);
    await untilAnswer(page);
    await page.locator('#copy').click();
    await page.locator('#copy', { hasText: 'Copied' }).waitFor();
    const line = String(await page.evaluate('navigator.clipboard.readText()'));
    t.match(line, /^curl -F file=@/);
    if (!existsSync('/usr/bin/curl')) return;
    const { stdout } = await run('sh', ['-c', line], { cwd: path.dirname(sample) });
    const { category, predictions } = JSON.parse(stdout);
    t.equal(category, await page.locator('#category').textContent());
    t.equal(predictions.length, await page.locator('#bars li[data-empty=false]').count());
  });

  t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
});
