// What another tool writes, as ONNX's own messages → the bytes of its .onnx file.
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/toolkit/graph/proto/onnx_pb.js';

export type OnnxModel = MessageInitShape<typeof ModelProtoSchema>;

export function onnxFile(model: OnnxModel): Uint8Array {
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
}
