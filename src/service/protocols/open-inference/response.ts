// the rows of the outputs → the body of an inference response: JSON, then binary tensors.
import type { StoredModel } from '../../../inference/models/repository.js';
import { type OutputRows, shortestFloat } from '../outputs.js';
import { floatsToBytes, joinElements } from './binary.js';
import type { Asked, AskedOutput } from './request.js';
import type { InferResponse, ResponseOutput } from './schemas.js';

export interface EncodedResponse {
  body: Buffer;
  /** The size of the JSON in bytes; undefined if no tensors follow it. */
  jsonBytes?: number;
}

export function encodeInferResponse(
  { id, outputs }: Pick<Asked, 'id' | 'outputs'>,
  { name, version, card }: Pick<StoredModel, 'name' | 'version' | 'card'>,
  rows: OutputRows,
): EncodedResponse {
  const encoded = outputs.map((asked) => encodeOutput(asked, rows[asked.name] ?? [], card.labels));
  const response: InferResponse = {
    ...(id === undefined ? {} : { id }),
    model_name: name,
    model_version: String(version),
    outputs: encoded.map(({ output }) => output),
  };
  const json = Buffer.from(JSON.stringify(response));
  const binaries = encoded.flatMap(({ binary }) => binary ?? []);
  if (binaries.length === 0) return { body: json };
  return { body: Buffer.concat([json, ...binaries]), jsonBytes: json.length };
}

interface EncodedOutput {
  output: ResponseOutput;
  binary?: Buffer;
}

function encodeOutput(
  asked: AskedOutput,
  rows: readonly Float32Array[],
  labels: readonly string[],
): EncodedOutput {
  const { name, binary, classification } = asked;
  if (classification === undefined) {
    const values = Float32Array.from(rows.flatMap((row) => [...row]));
    const head = { name, datatype: 'FP32' as const, shape: [rows.length, rows[0]?.length ?? 0] };
    if (binary) return withBinary(head, floatsToBytes(values));
    return { output: { ...head, data: Array.from(values, shortestFloat) } };
  }
  const classes = rows.map((row) => classify(row, labels, classification));
  const shape = [rows.length, classes[0]?.length ?? 0];
  const head = { name, datatype: 'BYTES' as const, shape };
  if (binary) return withBinary(head, joinElements(classes.flat()));
  return { output: { ...head, data: classes.flat() } };
}

function withBinary(head: Omit<ResponseOutput, 'parameters' | 'data'>, binary: Buffer): EncodedOutput {
  return { output: { ...head, parameters: { binary_data_size: binary.length } }, binary };
}

/** Formats classes like Triton, `value:index:label` with six decimals, the highest value first. */
function classify(row: Float32Array, labels: readonly string[], count: number): string[] {
  // A single score for two labels belongs to neither label.
  const named = row.length === labels.length;
  return [...row.entries()]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([i, value]) => `${value.toFixed(6)}:${i}${named ? `:${labels[i]}` : ''}`);
}
