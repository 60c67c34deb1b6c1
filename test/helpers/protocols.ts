// requests in the protocols of other servers → what inject takes, and back.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

/** The JSON, the tensors' bytes after it, and the header that separates them. */
export function infer(
  app: FastifyInstance,
  url: string,
  json: unknown,
  binary?: Buffer,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const text = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const separated = binary && { 'inference-header-content-length': String(text.length) };
  const payload = Buffer.concat([text, binary ?? Buffer.alloc(0)]);
  return app.inject({ method: 'POST', url, headers: { ...separated, ...headers }, payload });
}

/** BYTES elements, each with its length before it. */
export function elements(...files: Buffer[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(file.length);
      return [length, file];
    }),
  );
}

/** A response's JSON, and the bytes after it. */
export function splitResponse({ headers, rawPayload }: LightMyRequestResponse) {
  const length = Number(headers['inference-header-content-length']);
  return { json: JSON.parse(rawPayload.toString('utf8', 0, length)), binary: rawPayload.subarray(length) };
}

export function readFloats(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

export function writeFloats(values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
