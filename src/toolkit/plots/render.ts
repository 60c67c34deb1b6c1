// A Vega specification → SVG → PNG, the same on every machine. It uses no canvas, no system fonts and no sharp, whose SVG loader the service disables.
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { parse, type Spec, View } from 'vega';

export const fontFamily = 'DejaVu Sans';
const require = createRequire(import.meta.url);
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${name}`),
);

export async function specToSvg(spec: Spec): Promise<string> {
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Renders an SVG. @param scale pixels of the PNG per pixel of the SVG. */
export function svgToPng(svg: string, scale = 2): Uint8Array {
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: fontFamily };
  const picture = new Resvg(svg, { font, background: 'white', fitTo: { mode: 'zoom', value: scale } });
  return picture.render().asPng();
}
