// The part of a recipe about augmentation: each value with its range, its default and its effect.
import { type Static, Type } from '#typebox';
import { fraction, noted, onOff, upTo, wholePixels, withDefaults } from '../value-schema.js';

export const Crop = Type.Object({
  padding: wholePixels({
    default: 0,
    argument: 'pixels',
    description: 'pad each side by this, then crop an image of the original size at a random position',
  }),
});

export const Cutout = Type.Object({
  size: wholePixels({
    default: 0,
    argument: 'pixels',
    description:
      'cover a square with this side; its centre is at a random pixel, so part of it may be outside the image',
  }),
});

/** The values that are not nested in another part. */
export const plainAugmentation = {
  rotation: Type.Optional(
    upTo(180, {
      default: 0,
      argument: 'degrees',
      description: 'rotate by up to this many degrees, in either direction',
    }),
  ),
  zoom: Type.Optional(
    fraction({
      default: 0,
      description: 'enlarge or shrink by up to this fraction: 0.1 gives 0.9 to 1.1 times the size',
    }),
  ),
  shift: Type.Optional(
    upTo(1, {
      default: 0,
      description: 'shift by up to this fraction of width and height, in every direction',
    }),
  ),
  flip: Type.Optional(
    onOff({ default: false, description: 'mirror half of the images, left to right', off: 'mirror none' }),
  ),
  fill: Type.Optional(
    noted(
      Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.Literal('edge')]),
      'a whole number in [0, 255] or edge',
      {
        default: 0,
        argument: 'value',
        description:
          'pixel value outside the image, or edge to repeat the pixels of the border; cutout uses the value, or 0',
      },
    ),
  ),
};

/** Every amount has a uniform distribution, and is drawn for each image in each epoch. An absent value changes nothing. */
export const Augmentation = Type.Object({
  ...plainAugmentation,
  crop: Type.Optional(Crop),
  cutout: Type.Optional(Cutout),
});
export type Augmentation = Static<typeof Augmentation>;

export type CompleteAugmentation = ReturnType<typeof completeAugmentation>;

export function completeAugmentation(augmentation: Augmentation) {
  return withDefaults(Augmentation, augmentation);
}
