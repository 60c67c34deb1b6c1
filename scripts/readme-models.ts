// models/*/*/card.json → the table of models in README.md and README.pt-BR.md.
//
//   npm run readme               writes the table
//   npm run readme -- --check    exits 1 if a table is stale
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Card, Variant } from '#dist/inference/models/card.js';

const markers = /(<!-- models: npm run readme -->\n)[\s\S]*?(<!-- \/models -->)/;
const header =
  '| model | variant | size | of float32 | accuracy | latency | in batches |\n' +
  '| --- | --- | ---: | ---: | ---: | ---: | ---: |\n';

interface Model {
  card: Card;
  version: string;
}

for (const file of ['README.md', 'README.pt-BR.md'].filter((name, i) => i === 0 || existsSync(name))) {
  const current = readFileSync(file, 'utf8');
  const fresh = withModelTable(current, 'models');
  if (!process.argv.includes('--check')) writeFileSync(file, fresh);
  else if (fresh !== current) {
    console.error(`${file}: the table of models is stale: npm run readme`);
    process.exitCode = 1;
  }
}

/** Returns the README with the table of the models in `modelsFolder`. */
function withModelTable(readme: string, modelsFolder: string): string {
  if (!markers.test(readme)) throw new Error('README.md: the markers of the model table are missing');
  const rows = findModels(modelsFolder).flatMap((model) =>
    Object.entries(model.card.variants).map(([name, variant]) => rowOf(model, name, variant)),
  );
  return readme.replace(
    markers,
    (_, before: string, after: string) => `${before}\n${header}${rows.join('')}\n${after}`,
  );
}

function rowOf({ card, version }: Model, name: string, variant: Variant): string {
  const { bytes, accuracy, latencyMs, imagesPerSecond } = variant;
  const ratio = card.variants.float32 ? (bytes / card.variants.float32.bytes).toFixed(3) : '';
  const served = name === card.defaultVariant ? ' (served)' : '';
  const percent = accuracy === undefined ? '' : `${(accuracy * 100).toFixed(2)} %`;
  const latency = latencyMs === undefined ? '' : `${latencyMs.toFixed(3)} ms`;
  const rate = imagesPerSecond === undefined ? '' : `${imagesPerSecond}/s`;
  return `| ${card.name} ${version} | ${name}${served} | ${kilobytes(bytes)} | ${ratio} | ${percent} | ${latency} | ${rate} |\n`;
}

/** Formats `475 KB`, with one decimal below 100 KB. A KB is 1,000 bytes. */
function kilobytes(bytes: number): string {
  const digits = bytes < 100_000 ? 1 : 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `${(bytes / 1000).toLocaleString('en', options)} KB`;
}

/** Sorts by name, then by version. */
function findModels(modelsFolder: string): Model[] {
  return subfolders(modelsFolder)
    .sort()
    .flatMap((name) =>
      subfolders(path.join(modelsFolder, name))
        .filter((version) => /^\d+$/.test(version))
        .sort((a, b) => Number(a) - Number(b))
        .map((version) => {
          const file = path.join(modelsFolder, name, version, 'card.json');
          return { version, card: JSON.parse(readFileSync(file, 'utf8')) as Card };
        }),
    );
}

function subfolders(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
