/** What a file is, by its first bytes; its name is never asked. */
export interface FileKind {
  /**
   * `wav`, `flac`, `ogg` and `mpeg`: this package decodes them. `foreign`: sound that needs another program. `none`: a file
   * of a known kind that holds no sound. `unknown`: anything.
   */
  readonly group: 'wav' | 'flac' | 'ogg' | 'mpeg' | 'foreign' | 'none' | 'unknown';
  /** Completes the sentence "it ...". */
  readonly what: string;
  /** Short name of a kind in `foreign`, such as `aiff`. */
  readonly id: string;
  /** Bytes of ID3 tags before the file proper. */
  readonly skip: number;
}

/** Names extensions, lower case and without the dot, that a container is known by. */
export const CONTAINER_EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  wav: ['wav', 'wave', 'bwf', 'rf64'],
  flac: ['flac'],
  ogg: ['ogg', 'oga', 'opus', 'spx'],
  mpeg: ['mp3', 'mp2', 'mp1', 'mpga'],
  aiff: ['aif', 'aiff', 'aifc'],
  adts: ['aac', 'adts'],
  mp4: ['m4a', 'mp4', 'm4b', 'mov', '3gp', '3g2', 'aac'],
  caf: ['caf'],
  matroska: ['mka', 'mkv', 'webm', 'weba'],
  asf: ['wma', 'asf', 'wmv'],
  amr: ['amr', 'awb'],
  au: ['au', 'snd'],
};

export function fileKind(bytes: Uint8Array): FileKind {
  if (bytes.length === 0) return {group: 'none', what: 'is empty', id: 'empty', skip: 0};
  const skip = id3Length(bytes);
  const head = Buffer.from(bytes.subarray(skip, skip + 512)).toString('latin1');
  for (const [pattern, group, id, name] of SIGNATURES) {
    if (pattern.test(head)) return {group, what: `looks like ${name}`, id, skip};
  }
  if (skip > 0 || head.startsWith('ID3')) return {group: 'mpeg', what: 'looks like MP3', id: 'mpeg', skip};
  if (isText(bytes.subarray(0, 512))) return {group: 'none', what: 'looks like text', id: 'text', skip: 0};
  return {group: 'unknown', what: 'is of no known kind', id: 'unknown', skip: 0};
}

/** Says what a file that is no WAV file is likely to be: completes the sentence "it ...". */
export function looksLike(bytes: Uint8Array): string {
  return fileKind(bytes).what;
}

const SIGNATURES: readonly (readonly [RegExp, FileKind['group'], string, string])[] = [
  [/^(RIFF|RF64|BW64)....WAVE/s, 'wav', 'wav', 'WAV'],
  [/^RIFX....WAVE/s, 'wav', 'wav', 'big-endian WAV'],
  [/^(RIFF|RIFX|RF64|BW64).{0,7}$/s, 'none', 'wav', 'a WAV cut off in its header'],
  [/^RIFF....WEBP/s, 'none', 'image', 'an image'],
  [/^RIFF/, 'foreign', 'avi', 'another RIFF file, such as AVI'],
  [/^fLaC/, 'flac', 'flac', 'FLAC'],
  [/^OggS/, 'ogg', 'ogg', 'Ogg'],
  [/^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]/, 'mpeg', 'mpeg', 'MP3'],
  [/^FORM....(AIF|8SV)/s, 'foreign', 'aiff', 'AIFF'],
  [/^\xff[\xf0\xf1\xf8\xf9]/, 'foreign', 'adts', 'AAC'],
  [/^....ftyp(avif|heic|mif1)/s, 'none', 'image', 'an image'],
  [/^....(ftyp|moov|mdat|wide|free)/s, 'foreign', 'mp4', 'MP4 (M4A)'],
  [/^caff/, 'foreign', 'caf', 'Core Audio (CAF)'],
  [/^\x1a\x45\xdf\xa3/, 'foreign', 'matroska', 'Matroska or WebM'],
  [/^\x30\x26\xb2\x75\x8e\x66\xcf\x11/, 'foreign', 'asf', 'Windows Media (WMA)'],
  [/^#!AMR/, 'foreign', 'amr', 'AMR'],
  [/^\.snd/, 'foreign', 'au', 'Sun audio (AU)'],
  [/^riff\x2e\x91\xcf\x11/, 'foreign', 'w64', 'Sony Wave64'],
  [/^(wvpk|MAC |TTA[12]|MPCK|MP\+|DSD |FRM8|OFR |tBaK)/, 'foreign', 'rare', 'a rare kind of sound'],
  [/^(Creative Voice File|NIST_1A|\.ra\xfd|\.RMF|FLV\x01)/, 'foreign', 'rare', 'a rare kind of sound'],
  [/^\x0b\x77/, 'foreign', 'ac3', 'AC-3'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|BM....\0\0\0\0)/s, 'none', 'image', 'an image'],
  [/^%PDF/, 'none', 'pdf', 'a PDF'],
  [/^PK[\x01-\x08][\x02-\x08]/, 'none', 'archive', 'a ZIP archive'],
  [/^\x1f\x8b/, 'none', 'archive', 'a gzip archive'],
  [/^(7z\xbc\xaf|Rar!|BZh[1-9]|\xfd7zXZ|\x28\xb5\x2f\xfd)/, 'none', 'archive', 'an archive'],
  [/^.{257}ustar/s, 'none', 'archive', 'a tar archive'],
  [/^(\x7fELF|MZ|\x93NUMPY|\x89HDF|SQLite format 3)/, 'none', 'data', 'a program or data'],
  [/^\0+$/, 'none', 'zeros', 'nothing but zeros'],
];

/** Bytes of the ID3v2 tags that a file begins with; some programs put them before anything. Source: id3.org, ID3v2.4. */
function id3Length(bytes: Uint8Array): number {
  let skip = 0;
  while (skip + 10 <= bytes.length && bytes[skip] === 0x49 && bytes[skip + 1] === 0x44 && bytes[skip + 2] === 0x33) {
    const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + ((bytes[skip + i] as number) & 127), 0);
    const footer = ((bytes[skip + 5] as number) & 0x10) === 0 ? 0 : 10;
    skip += 10 + size + footer;
  }
  return Math.min(skip, bytes.length);
}

/** No control characters but those of text, and valid UTF-8 or nothing above ASCII. */
function isText(head: Uint8Array): boolean {
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(Buffer.from(head).toString('latin1'))) return false;
  const decoded = Buffer.from(head).toString('utf8');
  // The head may end inside a character.
  return !decoded.slice(0, -3).includes('\ufffd');
}
