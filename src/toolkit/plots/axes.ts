// What the pictures of an evaluation have in common: a white ground, a title, one font.
import type { Spec } from 'vega';
import { fontFamily } from './render.js';

/** @param subtitle on a line of its own. */
export function baseSpec(title: string, width: number, height: number, subtitle = ''): Spec {
  return {
    width,
    height,
    padding: 10,
    background: 'white',
    title: {
      text: title,
      anchor: 'start',
      offset: 14,
      font: fontFamily,
      fontSize: 13,
      ...(subtitle && { subtitle, subtitleFont: fontFamily, subtitleFontSize: 11 }),
    },
    config: { style: { 'guide-label': { font: fontFamily }, 'guide-title': { font: fontFamily } } },
  };
}
