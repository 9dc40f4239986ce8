import {StageError} from 'mixdown/stage';
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
 * is; plain or WAVE_FORMAT_EXTENSIBLE; chunks in any order. A data size of 0, or so large that only a program writing to a
 * pipe puts it, means up to the end of the file. A partial last frame is dropped.
 * `name` stands for the file in messages. Throws StageError for anything else, for a file that ends before its data does,
 * for one without samples, and for samples that are no numbers.
 */
export function decodeWav(bytes: Uint8Array, name = 'the clip'): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (tagAt(view, 0) !== 'RIFF' || tagAt(view, 8) !== 'WAVE') {
    throw new StageError(`${name} is not a WAV file: it ${looksLike(bytes)}`, CONVERT);
  }
  const {format, data} = findChunks(view, name);
  const frameBytes = format.channels * format.sampleBytes;
  const frames = Math.floor(data.size / frameBytes);
  if (frames === 0) throw new StageError(`${name} has no samples`, 'remove it from the clips');
  const channels = Array.from({length: format.channels}, (_, c) =>
    readChannel(view, format, data.start + c * format.sampleBytes, frames, frameBytes),
  );
  for (const [c, samples] of channels.entries()) checkSamples(samples, c, name);
  return {sampleRate: format.sampleRate, channels};
}

/** The mean of the channels. With one channel, that channel itself. */
export function mixToMono({channels}: Sound): Float64Array {
  const [first, ...others] = channels;
  if (first === undefined) throw new RangeError('a sound has at least one channel');
  if (others.length === 0) return first;
  const mean = first.slice();
  for (const other of others) for (let i = 0; i < mean.length; i++) mean[i]! += other[i]!;
  for (let i = 0; i < mean.length; i++) mean[i]! /= channels.length;
  return mean;
}

interface Format {
  readonly coding: 'pcm' | 'float';
  readonly channels: number;
  readonly sampleRate: number;
  readonly sampleBytes: number;
}

interface Span {
  readonly start: number;
  readonly size: number;
}

const CONVERT = 'convert it, for instance with: ffmpeg -i CLIP -c:a pcm_s16le CLIP.wav';
const TAG_PCM = 1;
const TAG_FLOAT = 3;
const TAG_EXTENSIBLE = 0xfffe;
const OTHER_TAGS: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  6: 'A-law',
  7: 'mu-law',
  0x11: 'IMA ADPCM',
  0x31: 'GSM 6.10',
  0x50: 'MPEG audio',
  0x55: 'MP3',
};
/** Sizes from here on are placeholders of programs that could not seek back: 0x7ffff000 (SoX), 0xffffffff (ffmpeg). */
const UNKNOWN_SIZE = 0x7fff0000;
const SLOWEST_HZ = 1000;
const FASTEST_HZ = 1_000_000;
/** Beyond this the squares and sums of a clip may leave the range of float64. No sound file means it. */
const LARGEST_SAMPLE = 1e12;

function findChunks(view: DataView, name: string): {format: Format; data: Span} {
  let format: Format | undefined;
  let data: Span | undefined;
  let position = 12;
  while (position + 8 <= view.byteLength && (format === undefined || data === undefined)) {
    const tag = tagAt(view, position);
    const start = position + 8;
    const rest = view.byteLength - start;
    let size = view.getUint32(position + 4, true);
    if (tag === 'data') {
      if (size >= UNKNOWN_SIZE && size > rest) size = rest;
      if (size === 0 && !isChunkChain(view, start)) size = rest;
      if (size > rest) {
        throw new StageError(
          `${name} is truncated: the header says ${size} bytes of samples, the file has ${rest}`,
          'fetch or export it again',
        );
      }
      data ??= {start, size};
    } else if (tag === 'fmt ') {
      if (size > rest) throw new StageError(`${name} is truncated: it ends inside its format chunk`);
      format ??= readFormat(view, start, size, name);
    }
    position = nextChunk(view, start + size);
  }
  if (format === undefined) throw new StageError(`${name} is a broken WAV file: it has no format chunk`);
  if (data === undefined) throw new StageError(`${name} is a broken WAV file: it has no data chunk`);
  return {format, data};
}

function readFormat(view: DataView, start: number, size: number, name: string): Format {
  if (size < 16)
    throw new StageError(`${name} is a broken WAV file: its format chunk has ${size} bytes, 16 are needed`);
  let tag = view.getUint16(start, true);
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const frameBytes = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  if (tag === TAG_EXTENSIBLE) {
    if (size < 40) throw new StageError(`${name} is a broken WAV file: its extensible format chunk has ${size} bytes`);
    tag = view.getUint16(start + 24, true);
  }
  if (tag !== TAG_PCM && tag !== TAG_FLOAT) {
    throw new StageError(
      `${name} holds ${OTHER_TAGS[tag] ?? `format 0x${tag.toString(16)}`}, not PCM or float`,
      CONVERT,
    );
  }
  const coding = tag === TAG_PCM ? 'pcm' : 'float';
  // Bits that are no whole number of bytes lie at the upper end of the next larger container, as if they were more bits.
  const sampleBytes = Math.ceil(bits / 8);
  const known = coding === 'pcm' ? sampleBytes >= 1 && sampleBytes <= 4 : bits === 32 || bits === 64;
  if (!known) throw new StageError(`${name} holds ${coding} samples of ${bits} bits`, CONVERT);
  if (channels === 0) throw new StageError(`${name} is a broken WAV file: it has no channels`);
  if (frameBytes !== channels * sampleBytes) {
    throw new StageError(
      `${name} is a broken WAV file: ${channels} channels of ${bits} bits do not make frames of ${frameBytes} bytes`,
    );
  }
  if (sampleRate < SLOWEST_HZ || sampleRate > FASTEST_HZ) {
    throw new StageError(`${name} has a sampling rate of ${sampleRate} Hz; ${SLOWEST_HZ} ... ${FASTEST_HZ} is audio`);
  }
  return {coding, channels, sampleRate, sampleBytes};
}

function readChannel(view: DataView, format: Format, start: number, frames: number, stride: number): Float64Array {
  const samples = new Float64Array(frames);
  const {coding, sampleBytes} = format;
  let at = start;
  if (coding === 'float' && sampleBytes === 4) {
    for (let i = 0; i < frames; i++, at += stride) samples[i] = view.getFloat32(at, true);
  } else if (coding === 'float') {
    for (let i = 0; i < frames; i++, at += stride) samples[i] = view.getFloat64(at, true);
  } else if (sampleBytes === 1) {
    for (let i = 0; i < frames; i++, at += stride) samples[i] = (view.getUint8(at) - 128) / 2 ** 7;
  } else if (sampleBytes === 2) {
    for (let i = 0; i < frames; i++, at += stride) samples[i] = view.getInt16(at, true) / 2 ** 15;
  } else if (sampleBytes === 3) {
    for (let i = 0; i < frames; i++, at += stride) {
      samples[i] = (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    }
  } else {
    for (let i = 0; i < frames; i++, at += stride) samples[i] = view.getInt32(at, true) / 2 ** 31;
  }
  return samples;
}

function checkSamples(samples: Float64Array, channel: number, name: string): void {
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as number;
    if (!(Math.abs(sample) <= LARGEST_SAMPLE)) {
      throw new StageError(`${name} is damaged: sample ${i} of channel ${channel + 1} is ${sample}`);
    }
  }
}

/** Chunks start at even bytes, but some writers leave out the pad byte after a chunk of odd size. */
function nextChunk(view: DataView, end: number): number {
  if (end % 2 === 0 || end >= view.byteLength) return end;
  return view.getUint8(end) !== 0 && /^[\x20-\x7e]{4}$/.test(tagAt(view, end)) ? end : end + 1;
}

/** Whether only whole chunks, or nothing, follow up to the end of the file. */
function isChunkChain(view: DataView, start: number): boolean {
  let position = start;
  while (position + 8 <= view.byteLength) {
    if (!/^[\x20-\x7e]{4}$/.test(tagAt(view, position))) return false;
    position = nextChunk(view, position + 8 + view.getUint32(position + 4, true));
  }
  return position === view.byteLength;
}

function tagAt(view: DataView, position: number): string {
  if (position + 4 > view.byteLength) return '';
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + position, 4));
}
