// Every command of the pages is run, or checked as far as it can be without an hour, a registry or another machine.
//
//   ```sh             curl runs against a server with the committed models, quati predict and quati models too, quati choose on
//                     the committed results; the other commands of quati are parsed by its own parser, npm's scripts have to exist
//   ```sh dry         none runs, all are checked
//   ```sh elsewhere   for another machine or for files of the reader's: bash must be able to parse it, and files of the project must exist
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { checkCommandLine, runCli } from '../../src/cli/program.js';
import { createPipeline } from '../../src/inference/pipeline.js';
import { createApp } from '../../src/service/app.js';
import { fakeIo } from '../cli/fake-io.js';
import { projectFolder } from '../helpers/project.js';
import { testConfig } from '../helpers/service.js';
import { findCodeBlocks, findInlineCommands } from './code-blocks.js';
import { pages, readPage } from './pages.js';
import { runBlock } from './run-block.js';

const run = promisify(execFile);
const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };

const config = testConfig({ models: path.join(projectFolder, 'models') });
const app = await createApp(config, await createPipeline({ ...config, workers: 1 }));
t.teardown(() => app.close());
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const folder = t.testdir();
for (const name of ['imgs', 'models', 'docs', 'openapi.yaml'])
  await symlink(path.join(projectFolder, name), path.join(folder, name));
await writeFile(path.join(folder, 'photo.jpg'), readFileSync(path.join(projectFolder, 'imgs/mnist/7-1.png')));

for (const page of pages) {
  for (const { where, language, mark, code } of findCodeBlocks(page, readPage(page))) {
    if (language !== 'sh') continue;
    t.test(`${where}${mark && ` (${mark})`}`, async (t) => {
      if (mark === 'elsewhere') return await checkElsewhere(t, code);
      t.match(mark, /^(dry)?$/, 'a mark that is known');
      const { commands, output } = await runBlock(code, url, folder);
      t.not(commands.length, 0, 'it holds a command');
      for (const command of commands) t.equal(await problemOf(command, mark), '', command.join(' '));
      for (const answer of expectedAnswers(code)) t.ok(output.includes(answer), answer);
    });
  }
  t.test(`${page}: the commands in its sentences`, async (t) => {
    for (const command of findInlineCommands(readPage(page))) {
      const { commands } = await runBlock(command, url, folder);
      for (const each of commands)
        t.match(
          await problemOf(each, 'dry'),
          /^(error: (missing required argument|required option).*)?$/s,
          command,
        );
    }
  });
}

/** Complete responses in comments, except those with times or other numbers that vary. */
function expectedAnswers(code: string): string[] {
  const answers = [...code.matchAll(/^# (\{.*\})$/gm)].map(([, answer = '']) => answer);
  return answers.filter((answer) => !/timings|…|predictions|outputs/.test(answer));
}

/** Returns '' if there is no problem. */
async function problemOf([program = '', ...args]: string[], mark: string): Promise<string> {
  switch (program) {
    case 'npx':
    case 'quati':
      return await quatiProblem(program === 'npx' ? args.slice(1) : args, mark);
    case 'npm':
      return npmProblem(args);
    case 'docker':
    case 'node':
      return missingFile(args);
    default:
      return program === 'curl' || program === 'git'
        ? ''
        : `${program}: only in a block that is marked elsewhere`;
  }
}

async function quatiProblem(args: string[], mark: string): Promise<string> {
  const io = fakeIo();
  const runs = mark !== 'dry' && /^(predict|models|choose)$/.test(args[0] ?? '') && !args.includes('--help');
  const code = runs ? await runCli(onCommittedFiles(args), io) : await checkCommandLine(inProject(args), io);
  return code === 0 ? '' : io.err() || io.out() || `exit code ${code}`;
}

/** The arguments of a command that runs: it finds the server, the committed models, images and results. */
function onCommittedFiles(args: string[]): string[] {
  if (args[0] === 'predict') return [...inProject(args), '--url', url];
  if (args[0] === 'models') return inProject(args);
  const results = path.join(projectFolder, 'docs', 'results');
  const given = args.map((arg) => arg.replace(/^results\//, `${results}/`));
  return given.some((arg) => arg.startsWith(results)) ? given : [...given, path.join(results, 'mnist')];
}

function inProject(args: string[]): string[] {
  return args.map((arg) => arg.replace(/^(imgs|models)\//, `${projectFolder}/$1/`));
}

function npmProblem([command = '', ...args]: string[]): string {
  if (['ci', 'install', 'pack', 'config'].includes(command)) return '';
  const script = command === 'run' ? args.find((arg) => !arg.startsWith('-')) : command;
  return script !== undefined && script in scripts ? '' : `package.json has no script ${script}`;
}

/** A file of the project that an argument names. */
function missingFile(args: string[]): string {
  const named = args.filter((arg) => /^(docker|scripts|bench|docs)\//.test(arg));
  return named.filter((file) => !existsSync(path.join(projectFolder, file))).join(', ');
}

async function checkElsewhere(t: Test, code: string): Promise<void> {
  await t.resolves(run('bash', ['-n', '-c', code]), 'bash understands it');
  const files = [...code.matchAll(/(?<![\w/.-])(?:docker|scripts|bench|docs)\/[\w./-]+/g)].map(
    ([file]) => file,
  );
  t.equal(missingFile(files), '');
  for (const [, line = ''] of code.matchAll(
    /(?:^|\s)(?:npx )?quati ((?:predict|serve|bench|models|publish|train|evaluate)\b.*)$/gm,
  ))
    t.equal(await quatiProblem(line.replace(/ #.*$/, '').trim().split(/\s+/), 'dry'), '', line);
}
