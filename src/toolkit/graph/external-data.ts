// A model whose weights lie in files beside it, as PyTorch writes it → the bytes of one file.
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { hasExternalData } from '../../inference/models/external-data.js';
import { GraphError } from './errors.js';
import {
  TensorProto_DataLocation as DataLocation,
  type GraphProto,
  ModelProtoSchema,
  type TensorProto,
} from './proto/onnx_pb.js';

/**
 * @param file the path of the model; the other files are looked for in its folder.
 * @throws GraphError if such a file lies elsewhere, is missing or is too short.
 */
export async function embedExternalData(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  if (!hasExternalData(bytes)) return bytes;
  const model = fromBinary(ModelProtoSchema, bytes);
  for (const tensor of model.graph ? tensorsOf(model.graph) : [])
    if (tensor.dataLocation === DataLocation.EXTERNAL) await embed(tensor, file);
  return toBinary(ModelProtoSchema, model);
}

function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const { values, indices } of graph.sparseInitializer)
    for (const tensor of [values, indices]) if (tensor) yield tensor;
  for (const { t, tensors, g, graphs } of graph.node.flatMap(({ attribute }) => attribute)) {
    if (t) yield t;
    yield* tensors;
    for (const inner of g ? [g, ...graphs] : graphs) yield* tensorsOf(inner);
  }
}

async function embed(tensor: TensorProto, file: string): Promise<void> {
  const {
    location = '',
    offset = '0',
    length,
  } = Object.fromEntries(tensor.externalData.map(({ key, value }) => [key, value]));
  const where = `${file}: tensor ${tensor.name}: its data in ${location}`;
  // The format forbids other places; a model could name any file of this machine.
  if (location === '' || path.isAbsolute(location) || path.normalize(location).startsWith('..'))
    throw new GraphError(`${where}: the file must lie beside the model`);
  tensor.rawData = await readPart(path.join(path.dirname(file), location), Number(offset), length, where);
  tensor.dataLocation = DataLocation.DEFAULT;
  tensor.externalData = [];
}

async function readPart(
  file: string,
  offset: number,
  length: string | undefined,
  where: string,
): Promise<Uint8Array> {
  const handle = await open(file).catch((cause: Error) => {
    throw new GraphError(`${where}: cannot be read: ${cause.message}`, { cause });
  });
  try {
    const { size } = await handle.stat();
    const wanted = length === undefined ? size - offset : Number(length);
    if (!(offset >= 0 && wanted >= 0 && offset + wanted <= size))
      throw new GraphError(`${where}: needs ${wanted} bytes from ${offset} on, the file has ${size}`);
    const part = new Uint8Array(wanted);
    await handle.read(part, 0, wanted, offset);
    return part;
  } finally {
    await handle.close();
  }
}
