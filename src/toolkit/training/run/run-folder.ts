// The folder of a run: run.json (its input and its results), history, checkpoint, exported models.
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeJsonAtomic } from '../../files.js';
import { RunError } from '../errors.js';
import type { Recipe } from '../recipe/recipe.js';
import type { EpochRecord } from './history.js';

export const runsFolder = 'runs';

export interface RunRecord {
  readonly recipe: Recipe;
  readonly dataset: {
    readonly name: string;
    readonly folder: string;
    readonly sha256: string;
    /** Whether files that are not images were skipped. Later commands then skip them too. */
    readonly skipBad?: true;
  };
  readonly labels: readonly string[];
  readonly parameters: number;
  /** Threads inside an operator. The last bits of the weights depend on it. */
  readonly threads?: number;
  /** Whether only standard ONNX operators were used. The last bits of the weights depend on it. */
  readonly portable?: true;
  readonly tool: string;
  readonly started: string;
  /** The commands as they were typed, in the order in which they ran: train, quantise, evaluate, publish. */
  readonly commands: readonly string[];
  readonly finished: boolean;
  /** The best epoch, if its weights were exported; absent if those of the last epoch were. */
  readonly best?: EpochRecord;
}

export interface RunFolder {
  readonly folder: string;
  readonly record: string;
  readonly checkpoint: string;
  /** The checkpoint of the best epoch, if the recipe keeps it. */
  readonly best: string;
  /** For a run on a backbone: the backbone, and the checkpoints of the first phase. */
  readonly backbone: string;
  readonly head: string;
  readonly bestHead: string;
  variant(name: string): string;
}

export function runFolder(folder: string): RunFolder {
  return {
    folder,
    record: path.join(folder, 'run.json'),
    checkpoint: path.join(folder, 'checkpoint.safetensors'),
    best: path.join(folder, 'best.safetensors'),
    backbone: path.join(folder, 'backbone.onnx'),
    head: path.join(folder, 'head.safetensors'),
    bestHead: path.join(folder, 'head-best.safetensors'),
    variant: (name) => path.join(folder, `${name}.onnx`),
  };
}

/** @throws RunError if the folder holds no run. */
export async function readRun(folder: string): Promise<RunRecord> {
  const file = runFolder(folder).record;
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RunRecord;
  } catch (cause) {
    throw new RunError(`${file}: holds no record of a run: ${(cause as Error).message}`, { cause });
  }
}

export async function writeRun(folder: string, record: RunRecord): Promise<void> {
  await writeJsonAtomic(runFolder(folder).record, record);
}

const stages = ['train', 'quantise', 'evaluate', 'publish'] as const;
export type Stage = (typeof stages)[number];

/** Adds the command of a stage. It replaces the earlier commands of this stage and of later stages, because their results are stale. */
export function commandsWith(commands: readonly string[], stage: Stage, command: string): string[] {
  const stageOf = (line: string) => stages.findIndex((name) => line.startsWith(`npx quati ${name}`));
  return [...commands.filter((line) => stageOf(line) < stages.indexOf(stage)), command];
}

/** Adds the command of a stage to the record of the run. */
export async function recordCommand(folder: string, stage: Stage, command: string): Promise<void> {
  const record = await readRun(folder);
  await writeRun(folder, { ...record, commands: commandsWith(record.commands, stage, command) });
}

/** The run whose record changed last. @throws RunError if there is none. */
export async function latestRun(folder = runsFolder): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const runs = await Promise.all(
    entries.map(async (entry) => {
      const candidate = path.join(folder, entry.name);
      const record = await stat(runFolder(candidate).record).catch(() => undefined);
      return record ? [{ candidate, changed: record.mtimeMs }] : [];
    }),
  );
  const [latest] = runs.flat().sort((a, b) => b.changed - a.changed);
  if (latest) return latest.candidate;
  throw new RunError(`${folder}/ holds no run yet: run npx quati train mnist-cnn`);
}
