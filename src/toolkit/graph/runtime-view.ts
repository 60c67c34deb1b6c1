// A model that the importer cannot read → the same model after ONNX Runtime has folded what depends on constants alone, and the types of its
// values as ONNX Runtime infers them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { loadRuntime } from '../../inference/workers/runtime.js';
import type { DataType, Dim, TensorType } from './graph.js';
import {
  type ModelProto,
  ModelProtoSchema,
  TensorShapeProto_DimensionSchema,
  ValueInfoProtoSchema,
} from './proto/onnx_pb.js';

/**
 * Folds constants, shapes of known size and operators without effect, by ONNX Runtime's basic optimisations: these write standard
 * operators only.
 * @param inputShape replaces the shape of the first input.
 * @throws Error if ONNX Runtime cannot load the model.
 */
export async function foldByRuntime(bytes: Uint8Array, inputShape?: readonly Dim[]): Promise<Uint8Array> {
  const { InferenceSession } = await loadRuntime();
  const folder = await mkdtemp(path.join(tmpdir(), 'quati-'));
  const folded = path.join(folder, 'folded.onnx');
  try {
    const session = await InferenceSession.create(
      toBinary(ModelProtoSchema, withInputShape(bytes, inputShape)),
      {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'basic',
        optimizedModelFilePath: folded,
        logSeverityLevel: 4,
      },
    );
    await session.release();
    return await readFile(folded);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns the type of each value that a node writes, as far as ONNX Runtime infers it. @throws Error if it cannot load the model. */
export async function typesByRuntime(bytes: Uint8Array): Promise<ReadonlyMap<string, TensorType>> {
  const { InferenceSession } = await loadRuntime();
  const model = fromBinary(ModelProtoSchema, bytes);
  const written = model.graph?.node.flatMap(({ output }) => output).filter((name) => name !== '') ?? [];
  if (model.graph) model.graph.output = written.map((name) => create(ValueInfoProtoSchema, { name }));
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model), {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
  });
  const types = new Map<string, TensorType>();
  for (const value of session.outputMetadata)
    if (value.isTensor && isKnown(value.type))
      types.set(value.name, {
        dataType: value.type,
        shape: value.shape.map((dim) => (dim === '' ? '?' : dim)),
      });
  await session.release();
  return types;
}

const dataTypes: readonly DataType[] = ['float32', 'float16', 'uint8', 'int8', 'int32', 'int64', 'bool'];

function isKnown(type: string): type is DataType {
  return (dataTypes as readonly string[]).includes(type);
}

function withInputShape(bytes: Uint8Array, shape?: readonly Dim[]): ModelProto {
  const model = fromBinary(ModelProtoSchema, bytes);
  const type = model.graph?.input[0]?.type?.value;
  if (!shape || type?.case !== 'tensorType' || !type.value.shape) return model;
  type.value.shape.dim = shape.map((dim) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
    }),
  );
  return model;
}
