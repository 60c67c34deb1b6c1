// A run's folder: run.json (what was asked, what came of it), history, checkpoint, exported models.
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
    /** Files of an image folder that are no images were left out, and are to be again. */
    readonly skipBad?: true;
  };
  readonly labels: readonly string[];
  readonly parameters: number;
  /** Inside an operator: the last bits of the weights depend on it. */
  readonly threads?: number;
  /** Standard ONNX operators only were asked for: so do the last bits on that. */
  readonly portable?: true;
  readonly tool: string;
  readonly started: string;
  /** As typed, in the order they were run: train, quantise, evaluate, publish. */
  readonly commands: readonly string[];
  readonly finished: boolean;
  /** Whose weights were exported, where the recipe asks for the best; else they are the last. */
  readonly best?: EpochRecord;
}

export interface RunFolder {
  readonly folder: string;
  readonly record: string;
  readonly checkpoint: string;
  /** The checkpoint of the best epoch, where the recipe asks for it. */
  readonly best: string;
  /** Of a run on a backbone: what it stands on, and the checkpoints of its first phase. */
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

/** @throws RunError when the folder holds no run. */
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

/** The commands with a stage's, in place of that stage's and later ones' from before: their results are stale. */
export function commandsWith(commands: readonly string[], stage: Stage, command: string): string[] {
  const stageOf = (line: string) => stages.findIndex((name) => line.startsWith(`npx quati ${name}`));
  return [...commands.filter((line) => stageOf(line) < stages.indexOf(stage)), command];
}

/** Adds a stage's command to the run's record. */
export async function recordCommand(folder: string, stage: Stage, command: string): Promise<void> {
  const record = await readRun(folder);
  await writeRun(folder, { ...record, commands: commandsWith(record.commands, stage, command) });
}

/** The run whose record changed last. @throws RunError when there is none. */
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
