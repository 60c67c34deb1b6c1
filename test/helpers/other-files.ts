// names of formats that are not accepted → the first bytes of such files, as their specifications state them.

/** A box `ftyp` of the ISO base media format, and the start of the next box. */
function ftyp(brand: string, ...compatible: string[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(16 + 4 * compatible.length);
  const brands = [brand, '\0\0\0\0', ...compatible].join('');
  return Buffer.concat([
    length,
    Buffer.from(`ftyp${brands}`, 'latin1'),
    Buffer.from('\0\0\x01\0meta', 'latin1'),
  ]);
}

/** As an iPhone writes it. */
export function heicFile(): Buffer {
  return ftyp('heic', 'mif1', 'MiPr', 'miaf', 'MiHB', 'heic');
}

export function avifFile(): Buffer {
  return ftyp('avif', 'avif', 'mif1', 'miaf', 'MA1B');
}

const latin1 = (text: string) => Buffer.from(text.padEnd(64, '\0'), 'latin1');

/** What the error calls the format → files of it. */
export const otherFiles: Readonly<Record<string, readonly Buffer[]>> = {
  HEIC: [heicFile(), ftyp('heix'), ftyp('hevc'), ftyp('mif1', 'mif1', 'heic'), ftyp('msf1', 'hevc')],
  HEIF: [ftyp('mif1', 'mif1', 'miaf')],
  AVIF: [avifFile(), ftyp('avis', 'msf1'), ftyp('mif1', 'miaf', 'avif')],
  'a QuickTime video (MOV)': [ftyp('qt  '), latin1('\0\0\0\x08wide'), latin1('\0\0\x10\0moov')],
  'an MP4 video': [ftyp('isom', 'iso2', 'avc1', 'mp41'), ftyp('mp42'), ftyp('M4V '), ftyp('3gp5')],
  'a raw photo (CR3)': [ftyp('crx ', 'isom')],
  'a raw photo (CR2)': [latin1('II*\0\x10\0\0\0CR\x02\0')],
  'a raw photo (RAF)': [latin1('FUJIFILMCCD-RAW 0201')],
  'a raw photo (ORF)': [latin1('IIRO\x08\0\0\0')],
  'TIFF, or a raw photo such as DNG or NEF': [
    latin1('II*\0\x08\0\0\0'),
    latin1('MM\0*\0\0\0\x08'),
    latin1('MM\0+'),
  ],
  BMP: [latin1('BM\x36\x10\0\0\0\0\0\0\x36\0\0\0')],
  'an icon (ICO)': [latin1('\0\0\x01\0\x02\0\x20\x20')],
  PSD: [latin1('8BPS\0\x01')],
  PDF: [latin1('%PDF-1.7\n')],
  SVG: [
    latin1('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    latin1('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made -->\n<svg/>'),
    Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><svg/>', 'utf16le'),
  ],
  'JPEG XL': [latin1('\xff\x0a\x7a\x05'), latin1('\0\0\0\x0cJXL \r\n\x87\n')],
  'JPEG 2000': [latin1('\0\0\0\x0cjP  \r\n\x87\n')],
  'an AVI video': [latin1('RIFF\0\x10\0\0AVI LIST')],
  'a Matroska or WebM video': [latin1('\x1a\x45\xdf\xa3')],
  'a ZIP archive': [latin1('PK\x03\x04\x14\0')],
  'a web page (HTML)': [latin1('\r\n<!DOCTYPE html>\n<html>'), latin1('<html lang="en">')],
  'macOS metadata without an image': [latin1('\0\x05\x16\x07\0\x02\0\0Mac OS X')],
  'a Git LFS pointer without an image': [latin1('version https://git-lfs.github.com/spec/v1\n')],
  'a portable pixmap (PPM, PGM or PBM)': [latin1('P6\n2 2\n255\n')],
  DICOM: [Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
};
