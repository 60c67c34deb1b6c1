// models/*/*/card.json → the table of models in README.md and README.pt-BR.md. With --check: exit 1 when one is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const markers = /(<!-- models: npm run readme -->\n)[\s\S]*?(<!-- \/models -->)/;

/** The README with the table of the cards below `modelsFolder`. */
export function withModelTable(readme, modelsFolder) {
  if (!markers.test(readme)) throw new Error('README.md: the markers of the model table are missing');
  return readme.replace(markers, (_, before, after) => `${before}${modelTable(modelsFolder)}${after}`);
}

function modelTable(modelsFolder) {
  const header =
    '| model | variant | size | of float32 | accuracy | latency | in batches |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n';
  const rows = findCards(modelsFolder).flatMap(({ card, version }) =>
    Object.entries(card.variants).map(([name, variant]) => rowOf(card, version, name, variant)),
  );
  return `\n${header}${rows.join('')}\n`;
}

function rowOf(card, version, name, { bytes, accuracy, latencyMs, imagesPerSecond }) {
  const ratio = card.variants.float32 ? (bytes / card.variants.float32.bytes).toFixed(3) : '';
  const served = name === card.defaultVariant ? ' (served)' : '';
  const percent = accuracy === undefined ? '' : `${(accuracy * 100).toFixed(2)} %`;
  const latency = latencyMs === undefined ? '' : `${latencyMs.toFixed(3)} ms`;
  const rate = imagesPerSecond === undefined ? '' : `${imagesPerSecond}/s`;
  return `| ${card.name} ${version} | ${name}${served} | ${kilobytes(bytes)} | ${ratio} | ${percent} | ${latency} | ${rate} |\n`;
}

/** `475 KB`; `10.9 KB` where a whole number would say little. A KB is 1,000 bytes. */
function kilobytes(bytes) {
  const digits = bytes < 100_000 ? 1 : 0;
  const size = (bytes / 1000).toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${size} KB`;
}

function findCards(modelsFolder) {
  return subfolders(modelsFolder)
    .sort()
    .flatMap((name) =>
      subfolders(path.join(modelsFolder, name))
        .filter((version) => /^\d+$/.test(version))
        .sort((a, b) => Number(a) - Number(b))
        .map((version) => ({
          version,
          card: JSON.parse(readFileSync(path.join(modelsFolder, name, version, 'card.json'), 'utf8')),
        })),
    );
}

function subfolders(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
}

if (process.argv[1] === import.meta.filename) {
  for (const file of ['README.md', 'README.pt-BR.md'].filter((name, i) => i === 0 || existsSync(name))) {
    const current = readFileSync(file, 'utf8');
    const fresh = withModelTable(current, 'models');
    if (!process.argv.includes('--check')) writeFileSync(file, fresh);
    else if (fresh !== current) {
      console.error(`${file}: the table of models is stale: npm run readme`);
      process.exitCode = 1;
    }
  }
}
