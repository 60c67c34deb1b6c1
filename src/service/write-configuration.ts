// npm run configuration: docs/configuration.md, from the schema of the settings.
import { writeFile } from 'node:fs/promises';
import { renderConfiguration } from './configuration.js';

await writeFile(new URL('../../docs/configuration.md', import.meta.url), renderConfiguration());
