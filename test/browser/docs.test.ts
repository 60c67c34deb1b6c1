// The API's page in a real browser: offline, under its policy, and POST /predict tried with a file.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { categoryOf, findImages } from '../../src/cli/image-files.js';
import { openSite, skip } from '../helpers/browser.js';
import { projectFolder } from '../helpers/project.js';

t.test(
  'GET /docs lists every operation, and POST /predict returns a prediction for a file',
  { skip },
  async (t) => {
    const site = await openSite(t);
    const [model = ''] = readdirSync(path.join(projectFolder, 'models'));
    const [sample = ''] = await findImages([path.join(projectFolder, 'imgs', model)]);
    const page = await site.open('/docs');
    const operation = page.locator('#operations-classification-predict');
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('tr[data-param-name=model] input').fill(model);
    await operation.locator('input[type=file]').setInputFiles(sample);
    await operation.locator('.execute').click();
    const answer = JSON.parse(
      await operation.locator('.live-responses-table .response-col_description code').first().innerText(),
    );
    const { labels } = (await site.app.inject(`/models/${model}`)).json();
    t.equal(answer.category, categoryOf(sample, labels));
    const paths = Object.values(
      (await site.app.inject('/openapi.json')).json().paths as Record<string, object>,
    );
    const operations = paths.reduce((sum, methods) => sum + Object.keys(methods).length, 0);
    t.equal(await page.locator('.opblock').count(), operations);
    t.same(site.complaints, [], 'nothing was refused by the policy, thrown, or asked of another origin');
  },
);
