// the file name of a common backbone → its input contract.
import type { InputContract } from '../../../inference/image/contract.js';

/** The scaling of pixels in its training, and the side of its images if the file leaves it dynamic. */
export interface KnownBackbone {
  readonly name: string;
  readonly file: RegExp;
  readonly pixels: Pick<InputContract, 'scale' | 'mean' | 'std'>;
  readonly side: number;
}

/** pixel / 127.5 - 1, as in TensorFlow's MobileNets. */
const minusOneToOne = { scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] };
/** The mean and standard deviation of ImageNet, as in torchvision and the ONNX model zoo. */
const imageNet = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** (pixel - 127) / 128. */
const aroundZero = { scale: 1 / 128, mean: [127 / 128, 127 / 128, 127 / 128], std: [1, 1, 1] };

/** The first entry that matches the file name counts. File names of TensorFlow contain a width multiplier or a size. */
export const knownBackbones: readonly KnownBackbone[] = [
  { name: 'MobileNetV1', file: /mobilenet[-_]?v1/, pixels: minusOneToOne, side: 224 },
  {
    name: 'MobileNetV2 of TensorFlow',
    file: /mobilenet[-_]?v2[-_]\d\.\d+[-_]\d+/,
    pixels: minusOneToOne,
    side: 224,
  },
  { name: 'MobileNetV2', file: /mobilenet[-_]?v2/, pixels: imageNet, side: 224 },
  { name: 'EfficientNet-Lite0', file: /efficientnet[-_]?lite[-_]?0/, pixels: aroundZero, side: 224 },
  { name: 'EfficientNet-Lite1', file: /efficientnet[-_]?lite[-_]?1/, pixels: aroundZero, side: 240 },
  { name: 'EfficientNet-Lite2', file: /efficientnet[-_]?lite[-_]?2/, pixels: aroundZero, side: 260 },
  { name: 'EfficientNet-Lite3', file: /efficientnet[-_]?lite[-_]?3/, pixels: aroundZero, side: 280 },
  { name: 'EfficientNet-Lite4', file: /efficientnet[-_]?lite[-_]?4/, pixels: aroundZero, side: 300 },
  { name: 'ResNet', file: /resnet[-_]?(18|34|50|101|152)/, pixels: imageNet, side: 224 },
  { name: 'SqueezeNet', file: /squeezenet/, pixels: imageNet, side: 224 },
];

/** @param file the name of the file, without its folder. */
export function findContract(file: string): KnownBackbone | undefined {
  return knownBackbones.find((known) => known.file.test(file.toLowerCase()));
}
