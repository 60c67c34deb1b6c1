// The name of a file or folder → the kind of leftover that it is, if systems, cameras or cloud services put it beside photos.

/** The name of each kind, before its number. */
const kinds = {
  macos: 'macOS files',
  windows: 'Windows files',
  nas: 'files of a network drive',
  video: 'videos',
  sidecar: 'notes of a camera or photo program',
  hidden: 'hidden files',
  special: 'neither files nor folders',
  outside: 'files outside of a category',
} as const;
export type LeftoverKind = keyof typeof kinds;

const patterns: readonly (readonly [kind: LeftoverKind, pattern: RegExp, filesOnly?: 'files'])[] = [
  [
    'macos',
    /^(\._.*|\.ds_store|\.localized|__macosx|\.appledouble|\.spotlight-v100|\.trashes|\.fseventsd|\.temporaryitems|\.documentrevisions-v100|icon\r)$/i,
  ],
  [
    'windows',
    /^(thumbs\.db(:encryptable)?|ehthumbs(_vista)?\.db|desktop\.ini|\$recycle\.bin|system volume information|.*\.lnk|.*:zone\.identifier|~\$.*)$/i,
  ],
  [
    'nas',
    /^(@eadir|#recycle|@recycle|#snapshot|@tmp|@sharesnap|\.@__thumb|\.@upload_cache|@synoeastream|.*@synoeastream|.*@synoresource|lost\+found)$/i,
  ],
  ['video', /\.(mov|mp4|m4v|avi|3gp|3g2|mts|m2ts|mkv|webm|wmv|mpe?g|lrv|insv)$/i, 'files'],
  [
    'sidecar',
    /(\.(aae|xmp|thm|pp3|dop)|^(metadata|.+\.(jpe?g|png|gif|webp|heic|heif|avif|mov|mp4)\b.*)\.json|^\.?picasa\.ini)$/i,
    'files',
  ],
  ['hidden', /^\./],
];

/** @returns undefined for the name of a photo or of a category. */
export function leftoverKind(name: string, isFolder = false): LeftoverKind | undefined {
  return patterns.find(([, pattern, only]) => !(isFolder && only === 'files') && pattern.test(name))?.[0];
}

/** Whether a path, with either slash, leads through such a folder or to such a file. */
export function isLeftoverPath(file: string): boolean {
  const parts = file.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  return parts.some((part, i) => leftoverKind(part, i < parts.length - 1) !== undefined);
}

/** Counts what is passed over, by kind. */
export class Leftovers {
  readonly #found = new Map<LeftoverKind, string[]>();

  add(kind: LeftoverKind, name: string): void {
    this.#found.set(kind, [...(this.#found.get(kind) ?? []), name]);
  }

  /** `macOS files: 2 (.DS_Store, __MACOSX), videos: 1 (a.MOV)`; undefined if nothing was passed over. */
  describe(): string | undefined {
    if (this.#found.size === 0) return undefined;
    const order = Object.keys(kinds) as LeftoverKind[];
    return order.flatMap((kind) => this.#part(kind)).join(', ');
  }

  #part(kind: LeftoverKind): string[] {
    const names = this.#found.get(kind);
    if (names === undefined) return [];
    const examples = [...new Set(names.map((name) => (/^\._/.test(name) ? '._*' : name)))];
    const shown = examples.slice(0, 3).map((name) => JSON.stringify(name).slice(1, -1));
    const more = examples.length > shown.length ? ', …' : '';
    return [`${kinds[kind]}: ${names.length} (${shown.join(', ')}${more})`];
  }
}
