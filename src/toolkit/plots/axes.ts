// Title and sizes → what all plots of an evaluation share: a white background, a title, one font.
import type { Spec } from 'vega';
import { fontFamily } from './font.js';

/** Returns a specification without marks. @param subtitle stands on a line of its own. */
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
