// A name that a person gave to a category → its label, and a file name for it.
import { createHash } from 'node:crypto';

/** Returns the label of a name: in Unicode's form NFC, without spaces at its ends. macOS writes the same letters in another form. */
export function toLabel(name: string): string {
  return name.normalize('NFC').trim();
}

/** Returns why a text cannot be a label; undefined if it can. */
export function labelProblem(label: string): string | undefined {
  if (label === '') return 'is empty';
  if (/[\p{Cc}\u2028\u2029]/u.test(label)) return 'has a control character, such as a line break';
  if (/[\p{Cs}\ufffd]/u.test(label)) return 'is not valid UTF-8 (convmv renames files from another encoding)';
  return undefined;
}

const longestPlain = 64;
const longestSlug = 40;

/**
 * Returns a file name without ending for each label: ASCII letters, digits, `_` and `-`, different also without regard to case.
 * A plain label stays as it is. Another one loses its other signs and gets the start of its SHA-256.
 */
export function fileStems(labels: readonly string[]): string[] {
  const folded = labels.map((label) => label.toLowerCase());
  return labels.map((label, i) => {
    const isPlain = /^[A-Za-z0-9][\w-]*$/.test(label) && label.length <= longestPlain;
    if (isPlain && folded.indexOf(folded[i] ?? '') === folded.lastIndexOf(folded[i] ?? '')) return label;
    return [slugOf(label), createHash('sha256').update(label).digest('hex').slice(0, 8)].join('-');
  });
}

function slugOf(label: string): string {
  const letters = label.normalize('NFKD').replaceAll(/\p{M}/gu, '').replaceAll('ß', 'ss');
  const slug = (letters.match(/[A-Za-z0-9]+/g) ?? []).join('-').slice(0, longestSlug);
  return slug === '' ? 'label' : slug;
}
