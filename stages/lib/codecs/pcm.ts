import {checkSamples} from '../audio/bad-clip.ts';
import {aLawTable, muLawTable} from './g711.ts';

/** How one sample is stored: unsigned, signed or float of so many bits, or a byte of ITU-T G.711. */
export type SampleCoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'alaw' | 'mulaw';

/** Bytes of one sample. */
export const CODING_BYTES: Readonly<Record<SampleCoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  alaw: 1,
  mulaw: 1,
};

export interface Interleaved {
  /** Whole frames and nothing else. */
  readonly bytes: Uint8Array;
  readonly coding: SampleCoding;
  readonly channels: number;
  readonly bigEndian: boolean;
}

/**
 * The samples of each channel: integers as sample / 2^(bits-1), float as it is. The bytes are read as a typed array, which
 * on little-endian machines (all that run this) costs little more than copying them.
 * Throws BadClip for float samples that are no numbers, or far from any sound; `name` stands for the file there.
 */
export function readInterleaved(data: Interleaved, name: string): readonly Float64Array[] {
  const sampleBytes = CODING_BYTES[data.coding];
  const bytes = data.bigEndian ? swapped(data.bytes, sampleBytes) : aligned(data.bytes, sampleBytes);
  const [stored, factor] = typedSamples(bytes, data.coding);
  const channels = Array.from({length: data.channels}, (_, channel) =>
    data.channels === 1 ? scaled(stored, factor) : everyNth(stored, channel, data.channels, factor),
  );
  if (data.coding.startsWith('f')) for (const [i, samples] of channels.entries()) checkSamples(samples, i, name);
  return channels;
}

type Stored = Int16Array | Int32Array | Float32Array | Float64Array;

/** Samples as they are stored, with what they are multiplied by; those of no type of their own looked up or put together. */
function typedSamples(bytes: Uint8Array, coding: SampleCoding): readonly [Stored, number] {
  const {buffer, byteOffset: start, length} = bytes;
  switch (coding) {
    case 'u8':
      return [lookedUp(bytes, byteTable()), 1];
    case 'alaw':
      return [lookedUp(bytes, aLawTable()), 1];
    case 'mulaw':
      return [lookedUp(bytes, muLawTable()), 1];
    case 's16':
      return [new Int16Array(buffer, start, length / 2), 2 ** -15];
    case 's24':
      return [read24(bytes), 2 ** -31];
    case 's32':
      return [new Int32Array(buffer, start, length / 4), 2 ** -31];
    case 'f32':
      return [new Float32Array(buffer, start, length / 4), 1];
    case 'f64':
      return [new Float64Array(buffer, start, length / 8), 1];
  }
}

function byteTable(): Float64Array {
  return Float64Array.from({length: 256}, (_, byte) => (byte - 128) / 2 ** 7);
}

/** In single precision, which holds every value of 8 and of 14 bits. */
function lookedUp(bytes: Uint8Array, table: Float64Array): Float32Array {
  const samples = new Float32Array(bytes.length);
  for (let i = 0; i < samples.length; i++) samples[i] = table[bytes[i] as number] as number;
  return samples;
}

/** Each in the upper three bytes of a whole number of four. */
function read24(bytes: Uint8Array): Int32Array {
  const samples = new Int32Array(bytes.length / 3);
  for (let i = 0, at = 0; i < samples.length; i++, at += 3) {
    const value = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    samples[i] = value << 8;
  }
  return samples;
}

/** A copy, four at a time, which saves half the time. */
function scaled(stored: Stored, factor: number): Float64Array {
  const samples = new Float64Array(stored);
  if (factor === 1) return samples;
  const whole = samples.length - (samples.length % 4);
  for (let i = 0; i < whole; i += 4) {
    samples[i]! *= factor;
    samples[i + 1]! *= factor;
    samples[i + 2]! *= factor;
    samples[i + 3]! *= factor;
  }
  for (let i = whole; i < samples.length; i++) samples[i]! *= factor;
  return samples;
}

function everyNth(stored: Stored, first: number, step: number, factor: number): Float64Array {
  const result = new Float64Array(stored.length / step);
  for (let i = 0, at = first; i < result.length; i++, at += step) result[i] = (stored[at] as number) * factor;
  return result;
}

/** A typed array must start at a multiple of its element's size. */
function aligned(bytes: Uint8Array, sampleBytes: number): Uint8Array {
  return sampleBytes === 3 || bytes.byteOffset % sampleBytes === 0 ? bytes : new Uint8Array(bytes);
}

function swapped(bytes: Uint8Array, sampleBytes: number): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += sampleBytes) {
    for (let i = 0; i < sampleBytes; i++) copy[start + i] = bytes[start + sampleBytes - 1 - i] as number;
  }
  return copy;
}
