// The font of all plots, which the project brings, so that a plot is the same on every machine.
import { createRequire } from 'node:module';

export const fontFamily = 'DejaVu Sans';
const require = createRequire(import.meta.url);

/** Returns the paths of the font's files, regular and bold. */
export function fontFiles(): string[] {
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
    require.resolve(`dejavu-fonts-ttf/ttf/${name}`),
  );
}
