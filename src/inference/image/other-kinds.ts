// the first bytes of a file that is not accepted → the name of its format, and what to do with it.
import { startOf, startsAs } from './magic.js';

export interface OtherKind {
  /** Follows `The file is`. */
  title: string;
  remedy: string;
}

const searched = 1024;
const convert = 'convert it to JPEG or PNG';
const rawRemedy = 'export it as JPEG with the program of the camera';
const videoRemedy = 'save one frame of it as JPEG or PNG';
const archiveRemedy = 'unpack it';

const heic: OtherKind = {
  title: 'HEIC',
  remedy:
    'convert it to JPEG, for example with heif-convert; an iPhone takes JPEGs if its setting Camera, Formats is Most Compatible',
};
const heif: OtherKind = { ...heic, title: 'HEIF' };
const avif: OtherKind = { title: 'AVIF', remedy: 'convert it to JPEG or PNG, for example with avifdec' };
const video: OtherKind = { title: 'an MP4 video', remedy: videoRemedy };
const movie: OtherKind = { title: 'a QuickTime video (MOV)', remedy: videoRemedy };

/** Brands of a HEIF container with pictures in HEVC. https://nokiatech.github.io/heif/technical.html */
const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];

/** Title, remedy, and the patterns of the first bytes, in the order of the search. */
const table: readonly (readonly [title: string, remedy: string, ...magic: string[]])[] = [
  ['JPEG XL', convert, '\xff\x0a', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['JPEG 2000', convert, '\0\0\0\x0cjP  \r\n\x87\n', '\xff\x4f\xff\x51'],
  ['JPEG XR', convert, 'II\xbc'],
  ['a raw photo (CR2)', rawRemedy, 'II*\0????CR'],
  ['a raw photo (CRW)', rawRemedy, 'II??\0\0HEAPCCDR'],
  ['a raw photo (ORF)', rawRemedy, 'IIRO', 'IIRS', 'MMOR'],
  ['a raw photo (RW2)', rawRemedy, 'IIU\0'],
  ['a raw photo (RAF)', rawRemedy, 'FUJIFILMCCD-RAW'],
  ['a raw photo (X3F)', rawRemedy, 'FOVb'],
  ['TIFF, or a raw photo such as DNG or NEF', convert, 'II*\0', 'MM\0*', 'II+\0', 'MM\0+'],
  ['BMP', convert, 'BM????\0\0\0\0'],
  ['an icon (ICO)', convert, '\0\0\x01\0?\0'],
  ['a cursor (CUR)', convert, '\0\0\x02\0?\0'],
  ['PSD', convert, '8BPS'],
  ['XCF', convert, 'gimp xcf'],
  ['PDF', convert, '%PDF-'],
  ['PostScript', convert, '%!PS', '\xc5\xd0\xd3\xc6'],
  ['DjVu', convert, 'AT&TFORM'],
  ['OpenEXR', convert, 'v/1\x01'],
  ['Radiance HDR', convert, '#?RADIANCE', '#?RGBE'],
  ['QOI', convert, 'qoif'],
  ['DDS', convert, 'DDS '],
  ['FLIF', convert, 'FLIF'],
  ['BPG', convert, 'BPG\xfb'],
  ['MNG', convert, '\x8aMNG'],
  ['JNG', convert, '\x8bJNG'],
  ['an AVI video', videoRemedy, 'RIFF????AVI '],
  ['a Matroska or WebM video', videoRemedy, '\x1a\x45\xdf\xa3'],
  ['a ZIP archive', archiveRemedy, 'PK\x03\x04'],
  ['a gzip archive', archiveRemedy, '\x1f\x8b'],
  ['a RAR archive', archiveRemedy, 'Rar!\x1a\x07'],
  ['a 7z archive', archiveRemedy, "7z\xbc\xaf'\x1c"],
  ['macOS metadata without an image', 'use the file without ._ in its name', '\0\x05\x16\x07'],
  ['a Git LFS pointer without an image', 'fetch the image with git lfs pull', 'version https://git-lfs'],
];

/** @returns undefined for bytes of no known format. */
export function otherKind(bytes: Uint8Array): OtherKind | undefined {
  const start = startOf(bytes, searched);
  const container = containerKind(start) ?? markupKind(start) ?? plainKind(start);
  if (container) return container;
  const row = table.find(([, , ...magic]) => magic.some((one) => startsAs(start, one)));
  return row && { title: row[0], remedy: row[1] };
}

/** The ISO base media format starts with a box `ftyp`: its length, a major brand, a version, and compatible brands. */
function containerKind(start: string): OtherKind | undefined {
  if (/^[\s\S]{4}(moov|mdat|wide|skip|pnot)/.test(start)) return movie;
  if (start.slice(4, 8) !== 'ftyp' || start.length < 12) return undefined;
  const length = Buffer.from(start.slice(0, 4), 'latin1').readUInt32BE();
  const compatible = start.slice(16, Math.min(length, start.length)).match(/[\s\S]{4}/g) ?? [];
  return brandKind(start.slice(8, 12)) ?? compatible.map(pictureKind).find(Boolean) ?? genericKind(start);
}

function brandKind(brand: string): OtherKind | undefined {
  if (brand === 'qt  ') return movie;
  if (brand === 'crx ') return { title: 'a raw photo (CR3)', remedy: rawRemedy };
  return pictureKind(brand);
}

function pictureKind(brand: string): OtherKind | undefined {
  if (heicBrands.includes(brand)) return heic;
  return brand === 'avif' || brand === 'avis' ? avif : undefined;
}

/** mif1 and msf1 are HEIF of any codec. */
function genericKind(start: string): OtherKind {
  return ['mif1', 'mif2', 'mif3', 'msf1', 'miaf'].includes(start.slice(8, 12)) ? heif : video;
}

function markupKind(start: string): OtherKind | undefined {
  const text = start
    .replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '')
    .replaceAll('\0', '')
    .trimStart()
    .toLowerCase();
  if (!text.startsWith('<')) return undefined;
  if (/^<(!doctype html|html|head|body)\b/.test(text))
    return { title: 'a web page (HTML)', remedy: 'download the image itself' };
  return text.includes('<svg') ? { title: 'SVG', remedy: 'convert it to PNG' } : undefined;
}

/** Formats that need more than a prefix: portable pixmaps are `P1`…`P7` and a space, DICOM has its mark at 128. */
function plainKind(start: string): OtherKind | undefined {
  if (/^P[1-7]\s/.test(start)) return { title: 'a portable pixmap (PPM, PGM or PBM)', remedy: convert };
  return start.slice(128, 132) === 'DICM' ? { title: 'DICOM', remedy: convert } : undefined;
}
