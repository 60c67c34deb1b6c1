// A Vega specification → SVG → PNG. It is the same on every machine, unless its texts need fonts of the system. It uses no canvas
// and no sharp, whose SVG loader the service disables.
// Vega's 280 modules and resvg are loaded at first use.
import type { Spec } from 'vega';
import { fontFamily, fontFiles, lacksLetters } from './font.js';

export async function specToSvg(spec: Spec): Promise<string> {
  const { parse, View } = await import('vega');
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Renders an SVG. @param scale pixels of the PNG per pixel of the SVG. */
export async function svgToPng(svg: string, scale = 2): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const font = { fontFiles: fontFiles(), loadSystemFonts: lacksLetters(svg), defaultFontFamily: fontFamily };
  const picture = new Resvg(svg, { font, background: 'white', fitTo: { mode: 'zoom', value: scale } });
  return picture.render().asPng();
}
