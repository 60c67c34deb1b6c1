// npm run recipe-values: the tables of docs/training.md, from the schema of a recipe.
import { readFile, writeFile } from 'node:fs/promises';
import { withValuesTable } from './values-table.js';

const page = new URL('../../../../docs/training.md', import.meta.url);
await writeFile(page, withValuesTable(await readFile(page, 'utf8')));
