// npm run test:unit: every compiled test file that slow.ts does not list, run by tap.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { slow } from './slow.js';

const folder = 'build/test';
const suffix = '.test.js';

const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length))
  .sort();
const unknown = slow.filter((entry) => !names.some((name) => isBelow(name, entry)));
if (unknown.length > 0)
  throw new Error(`scripts/tests/slow.ts lists no test of this name: ${unknown.join(', ')}`);
const quick = names.filter((name) => !slow.some((entry) => isBelow(name, entry)));
const files = quick.map((name) => path.join(folder, `${name}${suffix}`));
const { status } = spawnSync('tap', [...files, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;

/** An entry with a slash at the end is a folder. */
function isBelow(name: string, entry: string): boolean {
  return entry.endsWith('/') ? name.startsWith(entry) : name === entry;
}
