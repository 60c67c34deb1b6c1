// GET / and the files that it loads → the playground, from src/service/pages.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';

interface StaticFile {
  type: string;
  etag: string;
  content: Buffer;
}

const folder = new URL('../pages/', import.meta.url);

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Allows this page's own files only; the images that it shows are its blobs. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Reads each file once, at its first request. A browser checks each time whether its copy is still current. */
export const playgroundRoutes: FastifyPluginAsync = async (app) => {
  for (const name of await readdir(folder)) {
    const type = types[path.extname(name)];
    if (type === undefined) continue;
    let file: Promise<StaticFile> | undefined;
    const url = name === 'index.html' ? '/' : `/public/${name}`;
    app.get(
      url,
      { config: { open: true, uncounted: true }, schema: { hide: true } },
      async (request, reply) => {
        file ??= readStatic(name, type);
        return sendStatic(await file, request, reply);
      },
    );
  }
};

async function readStatic(name: string, type: string): Promise<StaticFile> {
  const content = await readFile(new URL(name, folder));
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { type, etag, content };
}

function sendStatic(
  { type, etag, content }: StaticFile,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.headers({
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
    etag,
  });
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type(type).send(content);
}

/** Compares tags as weak ones, because a proxy that compresses makes them weak. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
