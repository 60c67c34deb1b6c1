// A table of models and a rule for each image → an HTTP server on a free port that follows Quati's contract.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface Upload {
  model: string | undefined;
  version: string | undefined;
  top: string | null;
  filename: string;
  bytes: Buffer;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export interface FakeServer {
  url: string;
  /** All requests so far, as `METHOD /path?query`. */
  requests: string[];
}

export interface FakeServerOptions {
  models?: Record<string, string[]>;
  /** Models that are listed as not ready. */
  notReady?: string[];
  predict?: (upload: Upload, nth: number) => Answer | Promise<Answer>;
  /** Handles a request before the contract does. */
  intercept?: (request: IncomingMessage, nth: number) => Answer | undefined;
}

export function prediction(category: string, model = 'mnist', confidence = 0.9): Answer {
  const predictions = [{ category, confidence }];
  return { body: { category, confidence, predictions, model: { name: model, version: 1, variant: 'int8' } } };
}

export function problem(status: number, code: string, detail: string, headers = {}): Answer {
  const body = { type: `urn:quati:${code}`, title: code, status, detail, code, requestId: 'req-1' };
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

export async function fakeServer(t: Test, options: FakeServerOptions = {}): Promise<FakeServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void answer(request, options, requests.length).then((found) => send(response, found));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** A local URL where no server listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function answer(request: IncomingMessage, options: FakeServerOptions, nth: number): Promise<Answer> {
  const body = await readBody(request);
  const intercepted = options.intercept?.(request, nth);
  if (intercepted !== undefined) return intercepted;
  const { models = { mnist: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] } } = options;
  const url = new URL(request.url ?? '/', 'http://fake');
  if (url.pathname === '/models')
    return { body: { models: Object.entries(models).map(([name, labels]) => info(name, labels, options)) } };
  if (url.pathname === '/health/ready') return { body: { status: 'ready' } };
  const path = /^(?:\/models\/([^/]+)(?:\/versions\/(\d+))?)?(\/predict)?$/.exec(url.pathname);
  const model = path?.[1] === undefined ? undefined : decodeURIComponent(path[1]);
  if (path === null || (model !== undefined && models[model] === undefined))
    return problem(404, 'model_not_found', `No model is called ${model}`);
  if (path[3] === undefined) return { body: info(model, models[model ?? ''], options) };
  const form = await new Response(body, {
    headers: { 'content-type': request.headers['content-type'] ?? '' },
  }).formData();
  const file = form.get('file') as File;
  const bytes = Buffer.from(await file.arrayBuffer());
  const upload = { model, version: path[2], top: url.searchParams.get('top'), filename: file.name, bytes };
  return (await options.predict?.(upload, nth)) ?? prediction('7', model);
}

function info(name = '', labels: string[] = [], { notReady = [] }: FakeServerOptions) {
  return { name, labels, version: 1, ready: !notReady.includes(name), versions: [1] };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
