// the table of image formats, compared with the texts that list them by hand: the page, the guides, the docs of the client.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { imageMediaTypes, nameKinds } from '../../src/inference/image/kinds.js';
import { projectUrl } from '../helpers/project.js';

const read = (file: string) => readFile(new URL(file, projectUrl), 'utf8');

t.test('the page accepts files of every format, and lists the formats in both languages', async (t) => {
  const [, accept] =
    /<input type="file"[^>]* accept="([^"]*)"/.exec(await read('src/service/pages/index.html')) ?? [];
  t.equal(accept, imageMediaTypes.join(','));
  const { messages } = (await import(new URL('src/service/pages/messages.js', projectUrl).href)) as {
    messages: Record<'en' | 'pt-BR', Record<string, string>>;
  };
  const names = { en: nameKinds('or'), 'pt-BR': nameKinds('or').replace(' or ', ' ou ') };
  for (const language of ['en', 'pt-BR'] as const)
    for (const key of ['anywhere', 'problem.unsupported_type'])
      t.match(messages[language][key], names[language], `${language} ${key}`);
});

t.test('the guides and the client list every format', async (t) => {
  const guide = await read('docs/http.md');
  t.match(guide, `the bytes are not a ${nameKinds('or')};`);
  t.match(guide, `"content_type":"${imageMediaTypes.join(', ')}"`);
  t.match(await read('SECURITY.md'), `Only ${nameKinds('and')} are decoded.`);
  t.match(await read('src/client/client.ts'), `@param image the bytes of a ${nameKinds('or')} file.`);
});
