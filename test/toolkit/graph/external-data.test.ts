// Models whose weights lie in files beside them → one file with all of them, or an error that names the file.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import t from 'tap';
import { openSession } from '../../../src/inference/workers/session.js';
import { embedExternalData } from '../../../src/toolkit/graph/external-data.js';
import {
  TensorProto_DataLocation as DataLocation,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
} from '../../../src/toolkit/graph/proto/onnx_pb.js';
import { brightnessOnnx, grayInput } from '../../helpers/fixture-model.js';

const whole = brightnessOnnx(grayInput, 3);

/** Moves all initializers to `location`, one after the other, as PyTorch's default export does. */
function split(location: string): { model: Uint8Array; data: Buffer } {
  const model = fromBinary(ModelProtoSchema, whole);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph?.initializer ?? []) {
    const { rawData } = tensor;
    const entries = { location, offset: String(offset), length: String(rawData.length) };
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    tensor.dataLocation = DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array();
    parts.push(rawData);
    offset += rawData.length;
  }
  return { model: toBinary(ModelProtoSchema, model), data: Buffer.concat(parts) };
}

t.test('weights from a file beside the model are put into it', async (t) => {
  const folder = t.testdir();
  const file = path.join(folder, 'net.onnx');
  const { model, data } = split('net.onnx.data');
  await writeFile(path.join(folder, 'net.onnx.data'), data);
  const embedded = await embedExternalData(model, file);
  const [before, after] = [whole, embedded].map((bytes) => openSession(bytes, { input: grayInput }));
  const image = new Float32Array(784).fill(0.4);
  t.same(await (await after)?.run(image, 1), await (await before)?.run(image, 1));
  t.equal(await embedExternalData(embedded, file), embedded, 'a whole model stays as it is');
});

t.test('a file that is elsewhere, missing or too short is an error', async (t) => {
  const folder = t.testdir({ 'short.data': 'abc' });
  const file = path.join(folder, 'net.onnx');
  for (const [location, message] of [
    ['../secret', /its data in \.\.\/secret: the file must lie beside the model$/],
    ['/etc/passwd', /its data in \/etc\/passwd: the file must lie beside the model$/],
    ['none.data', /its data in none\.data: cannot be read: ENOENT/],
    ['short.data', /its data in short\.data: needs \d+ bytes from 0 on, the file has 3$/],
  ] as const)
    await t.rejects(embedExternalData(split(location).model, file), { name: 'GraphError', message });
});
