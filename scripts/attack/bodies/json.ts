// counts → bodies of JSON that are small when compressed, or deep; for /v1 and /v2 and whatever reads JSON. The same bytes every time.
import { gzipSync } from 'node:zlib';

/** An opening bracket so many times, with nothing that closes them: no JSON, which a reader finds at its end. */
export function openBrackets(bytes: number): Buffer {
  return Buffer.alloc(bytes, '[');
}

/** A list of so many empty objects. */
export function emptyObjects(count: number): Buffer {
  return listOf('{}', count);
}

/** A list of the same item, so many times. */
export function listOf(item: string, count: number): Buffer {
  const separated = `${item},`;
  const length = Math.max(0, separated.length * count - 1);
  return Buffer.concat([Buffer.from('['), Buffer.alloc(length, separated), Buffer.from(']')]);
}

/** An object in which one name comes so many times. */
export function sameNames(count: number): Buffer {
  const member = '"a":1,';
  return Buffer.concat([Buffer.from('{'), Buffer.alloc(member.length * count - 1, member), Buffer.from('}')]);
}

/** A number, or a text between quotes, of so many characters. */
export function longValue(characters: number, kind: 'number' | 'text'): Buffer {
  const value = Buffer.alloc(characters, kind === 'number' ? '1' : 'A');
  return kind === 'number' ? value : Buffer.concat([Buffer.from('"'), value, Buffer.from('"')]);
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

/** Parts of a request of the Open Inference Protocol that a test replaces. */
export interface OpenInferenceParts {
  id?: Buffer;
  parameters?: Buffer;
  name?: Buffer;
  shape?: Buffer;
  datatype?: Buffer;
  data?: Buffer;
}

/** A request of the Open Inference Protocol with these bytes as its parts, and an image of one byte in the others. */
export function openInferenceBody(parts: Buffer | OpenInferenceParts): Buffer {
  const {
    id = Buffer.from('"1"'),
    parameters = Buffer.from('{}'),
    name = Buffer.from('"image"'),
    shape = Buffer.from('[1]'),
    datatype = Buffer.from('"BYTES"'),
    data = Buffer.from('["AA=="]'),
  } = Buffer.isBuffer(parts) ? { parameters: parts } : parts;
  return Buffer.concat([
    Buffer.from('{"id":'),
    id,
    Buffer.from(',"parameters":'),
    parameters,
    Buffer.from(',"inputs":[{"name":'),
    name,
    Buffer.from(',"shape":'),
    shape,
    Buffer.from(',"datatype":'),
    datatype,
    Buffer.from(',"data":'),
    data,
    Buffer.from('}]}'),
  ]);
}

/** A request of TensorFlow Serving with these bytes as its instances. */
export function tensorflowServingBody(instances: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"instances":'), instances, Buffer.from('}')]);
}
