// the input contract: size, channels, fit, kernel, normalisation and digit rules of the images that a model takes.
import { type Static, Type } from '#typebox';

const strict = { additionalProperties: false };

/** The model receives `(pixel * scale - mean[c]) / std[c]`, with pixels in 0…255 and one mean and std per channel. */
export const InputContract = Type.Object(
  {
    width: Type.Integer({ minimum: 1, maximum: 4096 }),
    height: Type.Integer({ minimum: 1, maximum: 4096 }),
    channels: Type.Enum(['gray', 'rgb']),
    fit: Type.Enum(['fill', 'contain', 'cover'], {
      description: 'How an image with another aspect ratio is brought to width x height.',
    }),
    kernel: Type.Enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
    scale: Type.Number({ exclusiveMinimum: 0 }),
    mean: Type.Array(Type.Number(), { minItems: 1, maxItems: 3 }),
    std: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 1, maxItems: 3 }),
    layout: Type.Optional(
      Type.Enum(['nchw', 'nhwc'], {
        description:
          'nchw: one plane per channel, as in PyTorch; nhwc: the channels of a pixel are adjacent, as in Keras. Default nchw.',
      }),
    ),
    dataType: Type.Optional(
      Type.Enum(['float32', 'uint8'], {
        description:
          'The type of the input tensor. uint8 takes the unchanged pixels: scale 1, mean 0, std 1. Default float32.',
      }),
    ),
    polarity: Type.Optional(
      Type.Enum(['auto', 'as-is'], {
        description:
          'auto: an image with a light border is dark ink on paper, and is inverted. Default as-is.',
      }),
    ),
    centre: Type.Optional(
      Type.Object(
        { box: Type.Integer({ minimum: 1, maximum: 4096 }) },
        {
          ...strict,
          description:
            'The ink is cropped and scaled to fit box x box. Its centre of mass moves to the middle, as in MNIST.',
        },
      ),
    ),
  },
  strict,
);
export type InputContract = Static<typeof InputContract>;
