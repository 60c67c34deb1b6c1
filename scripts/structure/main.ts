// npm run lint: src/, scripts/ and bench/ → forbidden imports and long functions, one per line. Exits 1 if there is one.
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { findLongFunctions } from './functions.js';
import { findUnlisted, importRules, type Rule, workerRules } from './rules.js';

const folders = ['src', 'scripts', 'bench'];
const tsConfig = extractTsConfig('tsconfig.json');
const faults = [
  ...findUnlisted(),
  ...findLongFunctions(folders),
  ...(await findForbidden(folders, importRules, { tsPreCompilationDeps: true })),
  ...(await findForbidden(['src/inference/workers/worker.ts'], workerRules, { exclude: { dynamic: true } })),
];
/** One forbidden import can close hundreds of circles. */
const mostLines = 40;
for (const fault of faults.slice(0, mostLines)) console.error(fault);
if (faults.length > mostLines) console.error(`… and ${faults.length - mostLines} more`);
if (faults.length > 0) process.exitCode = 1;

/** Follows the imports from `places`. @returns the violations, as sentences. */
async function findForbidden(places: string[], forbidden: Rule[], follow: ICruiseOptions): Promise<string[]> {
  const options: ICruiseOptions = {
    ...follow,
    ruleSet: { forbidden },
    validate: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  };
  const { output } = await cruise(places, options, undefined, { tsConfig });
  const { summary, modules } = output as ICruiseResult;
  console.log(`Checked the imports of ${modules.length} modules.`);
  return summary.violations.map(({ rule, from, to, cycle, via }) => {
    const way = (cycle ?? via ?? []).map(({ name }) => name);
    const comment = forbidden.find(({ name }) => name === rule.name)?.comment;
    return `${from} → ${way.length > 0 ? way.join(' → ') : to}: ${comment}`;
  });
}
