// The font of all plots, which the project brings, so that a plot is the same on every machine; and the scripts that it lacks.
import { createRequire } from 'node:module';

export const fontFamily = 'DejaVu Sans';
const require = createRequire(import.meta.url);

/** Returns the paths of the font's files, regular and bold. */
export function fontFiles(): string[] {
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
    require.resolve(`dejavu-fonts-ttf/ttf/${name}`),
  );
}

const knownScripts =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}]*$/u;

/** Whether a text has letters of a script that the font lacks, such as Chinese, Japanese, Korean, Thai or those of India. */
export function lacksLetters(text: string): boolean {
  return !knownScripts.test(text);
}
