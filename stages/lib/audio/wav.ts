import {StageError} from 'mixdown/stage';
import {BadClip, checkLength, checkRate} from './bad-clip.ts';
import {CODING_BYTES, readInterleaved, type SampleCoding} from '../codecs/pcm.ts';
import {looksLike} from './file-kind.ts';

/** Decoded sound: one array of samples for each channel, full scale at -1 and 1 (float files may go beyond). */
export interface Sound {
  /** Hz. */
  readonly sampleRate: number;
  /** At least one, all of the same length, at least one sample. */
  readonly channels: readonly Float64Array[];
}

/**
 * Decodes a WAV file: integer PCM of 8 (unsigned), 16, 24 or 32 bits as sample / 2^(bits-1), float of 32 or 64 bits as it
 * is, A-law and mu-law; plain or WAVE_FORMAT_EXTENSIBLE; RIFF, RIFX (big-endian), RF64 and BW64; chunks in any order. A data
 * size of 0, or so large that only a program writing to a pipe puts it, means up to the end of the file. A partial last
 * frame is dropped.
 * `name` stands for the file in messages. Throws BadClip for what is no WAV file, for a file that ends before its data does,
 * for one without samples, and for samples that are no numbers; StageError for a coding that it does not know.
 */
export function decodeWav(bytes: Uint8Array, name = 'the clip'): Sound {
  return decodeWavFile(parseWav(bytes, name), name);
}

/** A WAV file taken apart. */
export interface WavFile {
  /** Null for a coding that `decodeWavFile` does not know; `codingName` says which it is. */
  readonly coding: SampleCoding | null;
  readonly codingName: string;
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
  readonly bigEndian: boolean;
  readonly data: Uint8Array;
}

/** As decodeWav, after parseWav. */
export function decodeWavFile(
  {coding, codingName, channels, sampleRate, bigEndian, data}: WavFile,
  name: string,
): Sound {
  if (coding === null) throw new StageError(`${name} holds ${codingName}, which is not PCM, float or G.711`, CONVERT);
  const frameBytes = channels * CODING_BYTES[coding];
  const frames = Math.floor(data.length / frameBytes);
  checkLength(frames, channels, name);
  const bytes = data.subarray(0, frames * frameBytes);
  return {sampleRate, channels: readInterleaved({bytes, coding, channels, bigEndian}, name)};
}

/** Finds the format and the samples of a WAV file. Throws BadClip for a file that is none, or is broken or cut off. */
export function parseWav(bytes: Uint8Array, name: string): WavFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = tagAt(view, 0);
  if (!['RIFF', 'RIFX', 'RF64', 'BW64'].includes(tag) || tagAt(view, 8) !== 'WAVE') {
    throw new BadClip(`${name} is not a WAV file: it ${looksLike(bytes)}`, 'convert it to WAV');
  }
  const {format, data} = findChunks({view, littleEndian: tag !== 'RIFX', name});
  return {...format, bigEndian: tag === 'RIFX', data: bytes.subarray(data.start, data.start + data.size)};
}

/** The mean of the channels. With one channel, that channel itself. */
export function mixToMono({channels}: Sound): Float64Array {
  const [first, second, ...others] = channels;
  if (first === undefined) throw new RangeError('a sound has at least one channel');
  if (second === undefined) return first;
  const mean = new Float64Array(first.length);
  if (others.length === 0) {
    for (let i = 0; i < mean.length; i++) mean[i] = ((first[i] as number) + (second[i] as number)) / 2;
    return mean;
  }
  for (const channel of channels) for (let i = 0; i < mean.length; i++) mean[i]! += channel[i]!;
  for (let i = 0; i < mean.length; i++) mean[i]! /= channels.length;
  return mean;
}

type Format = Pick<WavFile, 'coding' | 'codingName' | 'channels' | 'sampleRate'>;

interface Span {
  readonly start: number;
  readonly size: number;
}

interface Riff {
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly name: string;
}

const CONVERT = 'convert it, for instance with: ffmpeg -i CLIP -c:a pcm_s16le CLIP.wav';
const TAG_EXTENSIBLE = 0xfffe;
/** What follows the format tag in the sub-format of an extensible file: the GUID's fixed part, as little-endian files have it. */
const GUID_REST = '000000001000800000aa00389b71';
const OTHER_TAGS: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  0x11: 'IMA ADPCM',
  0x31: 'GSM 6.10',
  0x50: 'MPEG audio',
  0x55: 'MP3',
};
/** Sizes from here on are placeholders of programs that could not seek back: 0x7ffff000 (SoX), 0xffffffff (ffmpeg). */
const UNKNOWN_SIZE = 0x7fff0000;

function findChunks(riff: Riff): {format: Format; data: Span} {
  const {view, littleEndian, name} = riff;
  let format: Format | undefined;
  let data: Span | undefined;
  let longSize: number | undefined;
  let position = 12;
  while (position + 8 <= view.byteLength && (format === undefined || data === undefined)) {
    const tag = tagAt(view, position);
    const start = position + 8;
    const rest = view.byteLength - start;
    let size = view.getUint32(position + 4, littleEndian);
    if (tag === 'ds64' && size >= 16 && rest >= 16) {
      longSize = Number(view.getBigUint64(start + 8, littleEndian));
    } else if (tag === 'data') {
      size = dataSize(riff, start, size, longSize);
      data ??= {start, size};
    } else if (tag === 'fmt ') {
      if (size > rest) throw new BadClip(`${name} is truncated: it ends inside its format chunk`);
      format ??= readFormat(riff, start, size);
    }
    position = nextChunk(view, start + size);
  }
  if (format === undefined) throw new BadClip(`${name} is a broken WAV file: it has no format chunk`);
  if (data === undefined) throw new BadClip(`${name} is a broken WAV file: it has no data chunk`);
  return {format, data};
}

function dataSize(riff: Riff, start: number, said: number, longSize: number | undefined): number {
  const rest = riff.view.byteLength - start;
  let size = said;
  if (size === 0xffffffff && longSize !== undefined) size = longSize;
  else if (size >= UNKNOWN_SIZE && size > rest) size = rest;
  if (size === 0 && !isChunkChain(riff, start)) size = rest;
  if (size > rest) {
    throw new BadClip(
      `${riff.name} is truncated: the header says ${size} bytes of samples, the file has ${rest}`,
      'fetch or export it again',
    );
  }
  return size;
}

function readFormat({view, littleEndian, name}: Riff, start: number, size: number): Format {
  if (size < 16) {
    throw new BadClip(`${name} is a broken WAV file: its format chunk has ${size} bytes, 16 are needed`);
  }
  let tag = view.getUint16(start, littleEndian);
  const channels = view.getUint16(start + 2, littleEndian);
  const sampleRate = view.getUint32(start + 4, littleEndian);
  const frameBytes = view.getUint16(start + 12, littleEndian);
  const bits = view.getUint16(start + 14, littleEndian);
  checkRate(sampleRate, name);
  if (channels === 0) throw new BadClip(`${name} is a broken WAV file: it has no channels`);
  let guid = GUID_REST;
  if (tag === TAG_EXTENSIBLE) {
    if (size < 40) throw new BadClip(`${name} is a broken WAV file: its extensible format chunk has ${size} bytes`);
    tag = view.getUint16(start + 24, littleEndian);
    guid = Buffer.from(new Uint8Array(view.buffer, view.byteOffset + start + 26, 14)).toString('hex');
  }
  if (guid !== GUID_REST) return {coding: null, codingName: 'an unknown sub-format', channels, sampleRate};
  const coding = codingOf(tag, bits);
  const codingName = coding ?? nameOf(tag, bits);
  if (coding !== null && frameBytes !== channels * CODING_BYTES[coding]) {
    throw new BadClip(
      `${name} is a broken WAV file: ${channels} channels of ${bits} bits do not make frames of ${frameBytes} bytes`,
    );
  }
  return {coding, codingName, channels, sampleRate};
}

function codingOf(tag: number, bits: number): SampleCoding | null {
  switch (tag) {
    case 1:
      // Bits that are no whole number of bytes lie at the upper end of the next larger container, as if they were more.
      return ([null, 'u8', 's16', 's24', 's32'] as const)[Math.ceil(bits / 8)] ?? null;
    case 3:
      return bits === 32 ? 'f32' : bits === 64 ? 'f64' : null;
    case 6:
      return bits === 8 ? 'alaw' : null;
    case 7:
      return bits === 8 ? 'mulaw' : null;
    default:
      return null;
  }
}

function nameOf(tag: number, bits: number): string {
  const family = {1: 'pcm', 3: 'float', 6: 'A-law', 7: 'mu-law'}[tag];
  if (family !== undefined) return `${family} samples of ${bits} bits`;
  return OTHER_TAGS[tag] ?? `format 0x${tag.toString(16)}`;
}

/** Chunks start at even bytes, but some writers leave out the pad byte after a chunk of odd size. */
function nextChunk(view: DataView, end: number): number {
  if (end % 2 === 0 || end >= view.byteLength) return end;
  return view.getUint8(end) !== 0 && /^[\x20-\x7e]{4}$/.test(tagAt(view, end)) ? end : end + 1;
}

/** Whether only whole chunks, or nothing, follow up to the end of the file. */
function isChunkChain({view, littleEndian}: Riff, start: number): boolean {
  let position = start;
  while (position + 8 <= view.byteLength) {
    if (!/^[\x20-\x7e]{4}$/.test(tagAt(view, position))) return false;
    position = nextChunk(view, position + 8 + view.getUint32(position + 4, littleEndian));
  }
  return position === view.byteLength;
}

function tagAt(view: DataView, position: number): string {
  if (position + 4 > view.byteLength) return '';
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + position, 4));
}
