// In a separate process: posts an image over n connections for some seconds → requests/s and latencies, as one line of JSON.
//
//   load.js <url> raw|multipart <image> <connections> <seconds>
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import autocannon from 'autocannon';

export interface LoadResult {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** The number of requests with a success status, and of all others. */
  requests: number;
  failed: number;
}

const [url = '', upload, file = '', connections, seconds] = process.argv.slice(2);
const bytes = await readFile(file);
const type = path.extname(file) === '.png' ? 'image/png' : 'image/jpeg';
const result = await autocannon({
  url,
  method: 'POST',
  connections: Number(connections),
  duration: Number(seconds),
  ...(upload === 'raw' ? { headers: { 'content-type': type }, body: bytes } : multipart()),
});
const { latency, requests, non2xx, errors } = result;
const measured: LoadResult = {
  requestsPerSecond: requests.average,
  p50: latency.p50,
  p99: latency.p99,
  requests: result['2xx'],
  failed: non2xx + errors,
};
process.stdout.write(`${JSON.stringify(measured)}\n`);

function multipart() {
  const boundary = '----------------quati-bench';
  const disposition = `form-data; name="file"; filename="${path.basename(file)}"`;
  const head = `--${boundary}\r\ncontent-disposition: ${disposition}\r\ncontent-type: ${type}\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body };
}
