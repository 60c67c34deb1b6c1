// scripts/onnx-proto.ts --check: the generated code belongs to the .proto beside it.
import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { projectFolder } from '../helpers/project.js';

const run = promisify(execFile);
const script = path.join(projectFolder, 'scripts/onnx-proto.ts');
const folder = 'src/toolkit/graph/proto';

const check = (cwd: string) =>
  run(process.execPath, ['--import', import.meta.resolve('tsx'), script, '--check'], { cwd });

t.test('onnx_pb.ts was generated from this onnx.proto, by the versions that the script names', async () => {
  await check(projectFolder);
});

for (const [file, from, to] of [
  ['onnx.proto', 'optional string name = 1;', 'optional string title = 1;'],
  ['onnx_pb.ts', 'name: string;', 'title: string;'],
] as const)
  t.test(`a change in ${file} alone fails the check`, async (t) => {
    const copy = t.testdir();
    await cp(path.join(projectFolder, folder), path.join(copy, folder), { recursive: true });
    const changed = path.join(copy, folder, file);
    const text = await readFile(changed, 'utf8');
    t.ok(text.includes(from));
    await writeFile(changed, text.replace(from, to));
    await t.rejects(check(copy), /onnx_pb\.ts is stale or was edited: run npm run onnx-proto/);
  });
