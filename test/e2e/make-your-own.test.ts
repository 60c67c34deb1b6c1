// README.md's commands for the digit model, in order: on a tiny dataset, for one epoch; `choose` on the committed results.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { evaluateCommand } from '../../src/cli/evaluate.js';
import { checkCommandLine, runCli } from '../../src/cli/program.js';
import { loadCard } from '../../src/inference/models/card.js';
import { fakeIo } from '../cli/fake-io.js';
import { runCommand } from '../cli/run-command.js';
import { projectFolder } from '../helpers/project.js';
import { writeTinyDataset } from '../helpers/tiny-dataset.js';

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** What makes a command quick enough for a test; the rest of it stays as the README has it. */
const scaledDown: Record<string, string[]> = {
  train: ['--epochs', '1', '--threads', '1'],
  evaluate: ['--no-memory', '--no-pictures'],
};

async function commandsOfReadme(): Promise<string[][]> {
  const text = await readFile(path.join(projectFolder, 'README.md'), 'utf8');
  const [, block = ''] = /^```sh\n(npx quati dataset prepare [\s\S]*?)^```$/m.exec(text) ?? [];
  return block
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/\s+#.*/, '')
        .split(' ')
        .slice(2),
    );
}

/** Measures without exact speeds. */
async function quati(...args: string[]): Promise<string> {
  if (args[0] === 'evaluate') {
    const ran = await runCommand((io) => evaluateCommand(io, { speedBudgetMs: 0 }), args.slice(1));
    t.equal(ran.code, 0, `quati ${args.join(' ')}: ${ran.err}${ran.out}`);
    return ran.out;
  }
  const io = fakeIo();
  const code = await runCli(args, io);
  t.equal(code, 0, `quati ${args.join(' ')}: ${io.err()}${io.out()}`);
  return io.out();
}

t.test('the commands of "Make your own" work in order, and the last one publishes a model', async (t) => {
  const root = t.testdir();
  process.chdir(root);
  const [prepare = [], ...commands] = await commandsOfReadme();
  t.strictSame(
    [prepare, ...commands].map(([name]) => name),
    ['dataset', 'train', 'quantise', 'evaluate', 'choose', 'publish'],
  );

  t.equal(await checkCommandLine(prepare, fakeIo()), 0, prepare.join(' '));
  await writeTinyDataset('data/mnist', { count: 80, side: 28, labels: digits });
  for (const [name = '', ...args] of commands)
    if (name === 'choose') t.match(await chooseAsCommitted(args), /^mnist-deeper int8 /);
    else await quati(name, ...args, ...(scaledDown[name] ?? []));

  const { labels, defaultVariant } = await loadCard(path.join('models', 'mnist', '1', 'card.json'));
  t.strictSame([labels, defaultVariant], [digits, 'int8']);
});

/** On the committed figures of the run that the README's commands made, in the place where `quati evaluate` had put them. */
async function chooseAsCommitted(args: string[]): Promise<string> {
  const name = 'evaluation_summary.json';
  const committed = path.join(projectFolder, 'docs', 'results', 'mnist', name);
  const summary = JSON.parse(await readFile(committed, 'utf8'));
  const rows = summary.rows.filter(({ model }: { model: string }) => model === 'mnist-deeper');
  const folder = path.resolve('committed');
  await mkdir(path.join(folder, 'results', 'mnist'), { recursive: true });
  await writeFile(path.join(folder, 'results', 'mnist', name), JSON.stringify({ ...summary, rows }));
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await quati('choose', ...args);
  } finally {
    process.chdir(before);
  }
}
