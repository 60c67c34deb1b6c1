// requests that break the rules of HTTP → a refusal in the form of their path, although most of them reach no route.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, maxHeaderSize, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { cut } from '../cut.js';
import { createProblem, type ProblemCode, ProblemError } from '../errors.js';
import { toOriginForm } from '../request-target.js';
import { formOf } from './problems.js';

/** An error of Node's parser or of its timeouts, or of the socket. */
export interface ClientError extends Error {
  code?: string;
  /** What the parser found. */
  reason?: string;
  /** The chunk with the error, and where in it. */
  rawPacket?: unknown;
  bytesParsed?: number;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The newest request of each connection. */
    newestExchanges: WeakMap<Socket, Exchange>;
  }
}

/** The app must be created with `requireHostHeader: false`: Node would refuse with an empty body. */
export const brokenRequests = fp(
  async (app: FastifyInstance) => {
    const newest = new WeakMap<Socket, Exchange>();
    app.decorate('newestExchanges', newest);
    app.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      newest.set(request.socket, { request, response });
    });
    // Without a listener Node answers with an empty body.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
    app.server.on('connect', ({ method }: IncomingMessage, socket: Socket) => {
      const detail = `The server is no proxy: it takes no ${method}`;
      sendRaw(app, socket, { code: 'method_not_allowed', detail, target: '/' });
    });
    app.addHook('onRequest', async (request) => checkHead(request));
  },
  { name: 'broken-requests', dependencies: ['problems', 'access'] },
);

function checkHead({ raw, url, headers }: FastifyRequest): void {
  if (!url.startsWith('/'))
    throw new ProblemError('bad_request', `The target ${cut(url)} is neither a path nor an http URL`);
  // HTTP/1.0 knows neither of the two.
  if (raw.httpVersion !== '1.1') return;
  const hosts = raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts !== 1) throw new ProblemError('bad_request', `Header host: expected once, got ${hosts} times`);
  const { expect } = headers;
  if (expect !== undefined && !/^100-continue$/i.test(expect))
    throw new ProblemError(
      'expectation_failed',
      `Header expect: only 100-continue is known, got ${cut(expect)}`,
    );
}

/** Answers a request that the parser or a timeout broke off, unless its response has begun. Is called again for each further chunk. */
export function answerClientError(app: FastifyInstance, error: ClientError, socket: Socket): void {
  if (answered.has(socket)) return;
  const refusal = toRefusal(error);
  if (!refusal || !socket.writable) {
    socket.destroy();
    return;
  }
  const exchange = app.newestExchanges.get(socket);
  if (exchange && !exchange.request.complete) {
    // The error is in the body of this request.
    if (exchange.response.headersSent) socket.destroy();
    else sendRaw(app, socket, { ...refusal, target: exchange.request.url });
    return;
  }
  const send = () => sendRaw(app, socket, { ...refusal, target: findTarget(error) });
  if (!exchange || exchange.response.writableFinished) send();
  else {
    // An earlier request of the connection gets its response first.
    answered.add(socket);
    exchange.response.once('finish', send).once('close', () => answered.has(socket) || socket.destroy());
  }
}

interface Refusal {
  code: ProblemCode;
  detail: string;
}

const answered = new WeakSet<Socket>();

/** undefined: the connection broke, and nobody reads a response. */
function toRefusal({ code = '', reason = '' }: ClientError): Refusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { code: 'request_timeout', detail: 'The request did not arrive in time' };
  if (code === 'HPE_HEADER_OVERFLOW')
    return {
      code: 'headers_too_large',
      detail: `The request line and the headers have more than ${maxHeaderSize} bytes together`,
    };
  if (!code.startsWith('HPE_')) return undefined;
  return { code: 'bad_request', detail: `The request is not valid HTTP${reason && `: ${reason}`}` };
}

/** Returns the target of the last request line that begins before the error. The chunk may begin after that line. */
function findTarget({ rawPacket, bytesParsed = 0 }: ClientError): string | undefined {
  const lines = (Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '').matchAll(
    /(?:^|\n)[\w-]+ +(\/\S*|https?:\/\/\S*)/gi,
  );
  return [...lines].findLast(({ index }) => index <= bytesParsed)?.[1];
}

/** The time in which the client may read the response while it still sends. Closing at once would reset the connection. */
const lingerMs = 1000;

function sendRaw(
  app: FastifyInstance,
  socket: Socket,
  { code, detail, target }: Refusal & { target: string | undefined },
): void {
  answered.add(socket);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  app.metrics.rejected(code);
  const problem = createProblem(code, detail, randomUUID());
  const form = target === undefined ? undefined : formOf(app, toOriginForm(target));
  // The path is not known: the body is a problem, with the member that a protocol's client reads.
  const body = JSON.stringify(form ? form.toBody(problem) : { ...problem, error: detail });
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${form?.contentType ?? 'application/problem+json'}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `date: ${new Date().toUTCString()}`,
    `x-request-id: ${problem.requestId}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.once('end', () => socket.destroy());
  setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.resume();
}
