// The drawing pad in a real browser: mouse, touch and keyboard → a prediction.
import t from 'tap';
import { openSite, skip } from '../helpers/browser.js';
import { draw, seven, untilAnswer } from '../helpers/playground.js';

t.test('drawing', { skip }, async (t) => {
  const site = await openSite(t);

  await t.test("a drawn 7 is classified as 7, with bars, times and the model's view", async (t) => {
    const page = await site.open();
    await draw(page, seven);
    await untilAnswer(page);
    t.equal(await page.locator('#category').textContent(), '7');
    const rows = await page.locator('#bars li').allInnerTexts();
    t.equal(rows.length, 5);
    t.match(rows[0], /^7\s+(>\s)?\d+\.\d%$/);
    for (const text of await page.locator('#times dd').allInnerTexts()) t.match(text, /^[\d.,]+\sms$/);
    await page.locator('#seen:not([hidden])').waitFor();
    t.equal(await page.evaluate("document.querySelector('#seen').naturalWidth"), 28);
    t.match(await page.locator('#announcement').textContent(), /^drawing-1\.png: 7, /);
  });

  await t.test('a chosen variant classifies the drawing again', async (t) => {
    const page = await site.open();
    await draw(page, seven);
    await untilAnswer(page);
    const served = await page.locator('#variant').inputValue();
    const names = await page.locator('#variant option').allInnerTexts();
    for (const name of names.filter((name) => name !== served)) {
      await page.locator('#variant').selectOption(name);
      await page.locator('#sure', { hasText: `, ${name}` }).waitFor();
      t.equal(await page.locator('#category').textContent(), '7', name);
    }
    t.ok(names.length > 1);
  });

  await t.test(
    'undo removes the last stroke; clear removes all strokes and keeps the prediction in the strip',
    async (t) => {
      const page = await site.open();
      await draw(page, seven);
      await untilAnswer(page);
      await draw(page, [
        [0.1, 0.9],
        [0.9, 0.9],
      ]);
      await page.locator('#undo').click();
      await page.locator('#undo').click();
      await untilAnswer(page, 'empty');
      await draw(page, seven);
      await untilAnswer(page);
      await page.locator('#clear').click();
      await untilAnswer(page, 'empty');
      t.ok(await page.locator('#clear').isDisabled());
      t.equal(await page.locator('.entry').count(), 2);
      await page.locator('.entry').first().click();
      t.equal(await page.locator('#category').textContent(), '7');
    },
  );

  await t.test('the keyboard draws: space lowers and raises the pen, arrow keys move it', async (t) => {
    const page = await site.open();
    await page.locator('#stage[data-mode=draw]').waitFor();
    await page.locator('#pad').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await untilAnswer(page);
    t.equal(await page.locator('#category').textContent(), '1');
    await page.keyboard.press('Delete');
    await untilAnswer(page, 'empty');
  });

  await t.test('a finger draws without scrolling the page', async (t) => {
    const page = await site.open('/', { viewport: { width: 360, height: 640 }, hasTouch: true });
    const pad = page.locator('#stage[data-mode=draw] canvas');
    const { x, y, width } = (await pad.boundingBox()) ?? { x: 0, y: 0, width: 0 };
    const touch = await page.context().newCDPSession(page);
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
      touch.send('Input.dispatchTouchEvent', { type, touchPoints });
    await send('touchStart', [{ x: x + width / 2, y: y + width * 0.2 }]);
    for (let part = 0.2; part <= 0.8; part += 0.05)
      await send('touchMove', [{ x: x + width / 2, y: y + width * part }]);
    await send('touchEnd', []);
    await untilAnswer(page);
    t.equal(await page.locator('#category').textContent(), '1');
    t.equal(await page.evaluate('scrollY'), 0);
  });

  t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
});
