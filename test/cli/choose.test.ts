// quati choose: the variant that fits and why, the nearest miss, and how limits are parsed.
import path from 'node:path';
import t from 'tap';
import { byteCount, fraction } from '../../src/cli/choose.js';
import { runCli } from '../../src/cli/program.js';
import { writeSummary } from '../../src/toolkit/evaluation/summary.js';
import { summaryRow } from '../helpers/figures.js';
import { fakeIo } from './fake-io.js';

async function choose(...argv: string[]) {
  const io = fakeIo();
  const code = await runCli(['choose', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

async function writeResults(folder: string): Promise<string> {
  await writeSummary(folder, {
    dataset: { name: 'tiny', sha256: 'a'.repeat(64) },
    rows: [
      summaryRow('net float32', { accuracy: 0.9927, bytes: 901_214, ms: 0.174 }),
      summaryRow('net int8', { accuracy: 0.9928, bytes: 230_720, ms: 0.101 }),
      summaryRow('small int8', { accuracy: 0.95, bytes: 60_000, ms: 0.05 }),
    ],
  });
  return folder;
}

t.test('the variant that fits is shown with its figures and the reason', async (t) => {
  const results = await writeResults(t.testdir());
  const limits = ['--max-bytes', '400k', '--max-ms', '2', '--min-accuracy', '0.9'];
  t.strictSame(await choose(results, ...limits), {
    code: 0,
    out:
      'net int8 (runs/net/int8.onnx): 99.28 %, 0.101 ms, 230,720 bytes\n' +
      '  the most accurate of the 2 (3 were measured) with at most 400,000 bytes, at most 2 ms, at least 90.00 % correct\n' +
      '  also within the limits: small int8 (runs/small/int8.onnx): 95.00 %, 0.050 ms, 60,000 bytes\n',
    err: '',
  });
  const { out } = await choose(results, ...limits, '--prefer', 'bytes', '--json');
  t.equal(JSON.parse(out).fitting[0].model, 'small');
});

t.test('if no variant fits, the exit code is 1 and the nearest miss is shown', async (t) => {
  const results = await writeResults(t.testdir());
  const { code, out, err } = await choose(results, '--max-bytes', '200k', '--min-accuracy', '99%');
  t.equal(code, 1);
  t.equal(
    out,
    'no variant fits; the nearest is net int8 (runs/net/int8.onnx): 99.28 %, 0.101 ms, 230,720 bytes\n' +
      '  230,720 bytes, the limit is 200,000 (1.15 times as much)\n',
  );
  t.match(err, /^error: no variant in .* meets these limits\n$/);
});

t.test('missing results and invalid limits are wrong use', async (t) => {
  t.match(await choose(path.join(t.testdir(), 'none')), {
    code: 1,
    err: /evaluation_summary\.json: cannot be read/,
  });
  t.match(await choose('--max-bytes', 'many'), { code: 2, err: /expected bytes, such as 400000/ });
  t.match(await choose('--min-accuracy', '90'), { code: 2, err: /expected a fraction from 0 to 1/ });
  t.match(await choose('--max-ms', '0'), { code: 2, err: /expected milliseconds/ });
});

t.test('sizes have decimal and binary units', (t) => {
  t.strictSame(['400000', '400k', '400kB', '1.5M', '400Ki'].map(byteCount), [4e5, 4e5, 4e5, 1.5e6, 409_600]);
  t.strictSame(['0.9', '90%', '1', '99.5%'].map(fraction), [0.9, 0.9, 1, 0.995]);
  for (const wrong of ['', 'k', '-1', '0', '1.5.2k', '4 k']) t.throws(() => byteCount(wrong), wrong);
  t.end();
});
