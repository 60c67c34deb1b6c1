// The project's folder → the Markdown pages that people write and read: guides, decisions, and those at the top.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../helpers/project.js';

/** Paths from the project's folder. Generated results are not among them. */
export const pages = ['.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(path.join(projectFolder, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(folder, file)),
);

export function readPage(page: string): string {
  return readFileSync(path.join(projectFolder, page), 'utf8');
}
