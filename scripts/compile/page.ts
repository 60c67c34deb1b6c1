// src/service/pages/ → the same folder of a build: the page's files, which no compiler touches.
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Replaces the page of the built service in `service`. Files that the source no longer has are removed. */
export function copyPage(service: string): void {
  const target = path.join(service, 'pages');
  rmSync(target, { recursive: true, force: true });
  cpSync('src/service/pages', target, { recursive: true });
}
