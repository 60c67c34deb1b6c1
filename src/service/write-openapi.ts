// npm run openapi: writes openapi.yaml at the top of the repository.
import { writeFile } from 'node:fs/promises';
import { renderOpenapi } from './openapi.js';

await writeFile(new URL('../../openapi.yaml', import.meta.url), await renderOpenapi());
