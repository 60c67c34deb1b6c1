// src/service/pages/ → the same folder of a build: the page's files, which no compiler touches.
//
//   node scripts/copy-page.mjs dist/service
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** @param {string} service the built service's folder. What was deleted from the source goes there, too. */
export function copyPage(service) {
  const target = path.join(service, 'pages');
  rmSync(target, { recursive: true, force: true });
  cpSync('src/service/pages', target, { recursive: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  copyPage(process.argv[2] ?? 'dist/service');
