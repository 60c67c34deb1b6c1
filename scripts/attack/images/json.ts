// counts → bodies of JSON that are small when compressed, or deep; for /v1 and /v2 and whatever reads JSON. The same bytes every time.
import { gzipSync } from 'node:zlib';

/** An opening bracket so many times, with nothing that closes them: no JSON, which a reader finds at its end. */
export function openBrackets(bytes: number): Buffer {
  return Buffer.alloc(bytes, '[');
}

/** A list of so many empty objects. */
export function emptyObjects(count: number): Buffer {
  return Buffer.concat([Buffer.from('['), Buffer.alloc(Math.max(0, 3 * count - 1), '{},'), Buffer.from(']')]);
}

/** Lists in lists, or objects in objects, as deep as that; whole JSON. */
export function nested(depth: number, kind: 'lists' | 'objects' = 'lists'): Buffer {
  const [open, middle, close] = kind === 'lists' ? ['[', '', ']'] : ['{"a":', '0', '}'];
  return Buffer.concat([
    Buffer.alloc(depth * open.length, open),
    Buffer.from(middle),
    Buffer.alloc(depth, close),
  ]);
}

/** What is sent with `content-encoding: gzip`. */
export function gzipped(body: Buffer): Buffer {
  return gzipSync(body, { level: 9 });
}

/** A request of the Open Inference Protocol with these bytes as its parameters. */
export function openInferenceBody(parameters: Buffer): Buffer {
  const input = '{"name":"image","shape":[1],"datatype":"BYTES","data":["AA=="]}';
  return Buffer.concat([Buffer.from('{"parameters":'), parameters, Buffer.from(`,"inputs":[${input}]}`)]);
}

/** A request of TensorFlow Serving with these bytes as its instances. */
export function tensorflowServingBody(instances: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"instances":'), instances, Buffer.from('}')]);
}
