// File names of backbones → their input contracts.
import t from 'tap';
import { findContract, knownBackbones } from '../../../../src/toolkit/training/backbone/contracts.js';

const named: readonly [file: string, name: string, black: number, white: number, side: number][] = [
  ['mobilenet_v1_0.75_224.onnx', 'MobileNetV1', -1, 1, 224],
  ['mobilenetv2-12.onnx', 'MobileNetV2', -2.1179, 2.2489, 224],
  ['mobilenet_v2.onnx', 'MobileNetV2', -2.1179, 2.2489, 224],
  ['mobilenet_v2_1.0_224.onnx', 'MobileNetV2 of TensorFlow', -1, 1, 224],
  ['efficientnet-lite4-11.onnx', 'EfficientNet-Lite4', -127 / 128, 1, 300],
  ['EfficientNet_Lite0.onnx', 'EfficientNet-Lite0', -127 / 128, 1, 224],
  ['resnet18-v1-7.onnx', 'ResNet', -2.1179, 2.2489, 224],
  ['resnet50.onnx', 'ResNet', -2.1179, 2.2489, 224],
  ['squeezenet1.1-7.onnx', 'SqueezeNet', -2.1179, 2.2489, 224],
];

for (const [file, name, black, white, side] of named)
  t.test(`${file}: pixels 0…255 become ${black.toFixed(2)}…${white.toFixed(2)}`, async (t) => {
    const known = findContract(file);
    t.match(known, { name, side });
    const { scale = 0, mean = [], std = [] } = known?.pixels ?? {};
    const enters = (pixel: number) => (pixel * scale - (mean[0] ?? 0)) / (std[0] ?? 0);
    t.ok(Math.abs(enters(0) - black) < 1e-4, `${enters(0)}`);
    t.ok(Math.abs(enters(255) - white) < 1e-4, `${enters(255)}`);
  });

t.test('an unknown name gives no contract', async (t) => {
  for (const file of ['model.onnx', 'mobilenet_v3_small.onnx', 'vgg16.onnx', 'resnet.onnx'])
    t.equal(findContract(file), undefined, file);
});

t.test('each contract has one mean and one deviation per channel', async (t) => {
  for (const { name, pixels } of knownBackbones)
    t.match([pixels.mean.length, pixels.std.length], [3, 3], name);
});
