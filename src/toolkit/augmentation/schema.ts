// What a recipe says about augmentation: each value with its range, its default and what it does.
import { type Static, Type } from '#typebox';
import { fraction, noted, onOff, upTo, wholePixels, withDefaults } from '../value-schema.js';

export const Crop = Type.Object({
  padding: wholePixels({
    default: 0,
    argument: 'pixels',
    description: 'pad each side by this, then cut an image of the old size out of it, at a random place',
  }),
});

export const Cutout = Type.Object({
  size: wholePixels({
    default: 0,
    argument: 'pixels',
    description:
      'paint over a square with this side; its centre is anywhere in the image, so part of it may lie outside',
  }),
});

/** The values that are not parts of another one. */
export const plainAugmentation = {
  rotation: Type.Optional(
    upTo(180, {
      default: 0,
      argument: 'degrees',
      description: 'turn by up to this many degrees, either way',
    }),
  ),
  zoom: Type.Optional(
    fraction({
      default: 0,
      description: 'enlarge or shrink by up to this part: 0.1 is 0.9 to 1.1 times the size',
    }),
  ),
  shift: Type.Optional(
    upTo(1, { default: 0, description: 'move by up to this part of width and height, in every direction' }),
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
          'pixel value beyond the border, or edge to continue the border’s pixels; cutout paints the value, or 0',
      },
    ),
  ),
};

/** Every amount is drawn evenly, anew for each image and epoch. A value that is left out changes nothing. */
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
