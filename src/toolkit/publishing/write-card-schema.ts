// Card → card.schema.json at the top of the project, for editors and for other tools that write cards.
import { writeFile } from 'node:fs/promises';
import { cardSchema } from './card-schema.js';

await writeFile(new URL('../../../card.schema.json', import.meta.url), cardSchema());
