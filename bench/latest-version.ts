// A model's folder → its highest version.
import { readdirSync } from 'node:fs';

export function latestVersion(folder: string): number {
  return Math.max(...readdirSync(folder).map(Number).filter(Number.isInteger));
}
