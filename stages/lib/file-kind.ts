/** Says what a file that is no WAV file is likely to be, from its first bytes: completes the sentence "it ...". */
export function looksLike(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'is empty';
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  for (const [pattern, kind] of SIGNATURES) if (pattern.test(head)) return `looks like ${kind}`;
  if (/^[\t\n\r\x20-\x7e]*$/.test(head)) return 'looks like text';
  return 'is of no known kind';
}

const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^RIFX/, 'a big-endian WAV (RIFX)'],
  [/^(RF64|BW64)/, 'a WAV above 4 GiB (RF64)'],
  [/^RIFF.{0,7}$/s, 'a WAV cut off in its header'],
  [/^RIFF/, 'another RIFF file, such as AVI'],
  [/^FORM....AIF/s, 'AIFF'],
  [/^fLaC/, 'FLAC'],
  [/^OggS/, 'Ogg (Vorbis or Opus)'],
  [/^ID3|^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]/, 'MP3'],
  [/^\xff[\xf0\xf1\xf8\xf9]/, 'AAC'],
  [/^....ftyp/s, 'MP4 (M4A)'],
  [/^caff/, 'Core Audio (CAF)'],
  [/^\x1a\x45\xdf\xa3/, 'Matroska or WebM'],
  [/^PK\x03\x04/, 'a ZIP archive'],
  [/^\x1f\x8b/, 'a gzip archive'],
];
