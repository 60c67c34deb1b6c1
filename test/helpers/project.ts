// The project's own folder: tests run compiled, in build/, and are started from the top of the repository.
import { pathToFileURL } from 'node:url';

export const projectFolder = process.cwd();
/** Ends with a slash, so that relative URLs start inside. */
export const projectUrl = pathToFileURL(`${projectFolder}/`);
