import {badSample, LARGEST_SAMPLE} from '../bad-clip.ts';
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
 * on little-endian machines (all that run this) costs about as much as copying them.
 * Throws BadClip for float samples that are no numbers, or far from any sound; `name` stands for the file there.
 */
export function readInterleaved(data: Interleaved, name: string): readonly Float64Array[] {
  const sampleBytes = CODING_BYTES[data.coding];
  const bytes = data.bigEndian ? swapped(data.bytes, sampleBytes) : aligned(data.bytes, sampleBytes);
  const frames = bytes.length / (sampleBytes * data.channels);
  return Array.from({length: data.channels}, (_, channel) =>
    readChannel(bytes, {...data, frames, channel, samples: new Float64Array(frames), name}),
  );
}

interface Channel {
  readonly coding: SampleCoding;
  readonly channels: number;
  readonly frames: number;
  readonly channel: number;
  readonly samples: Float64Array;
  readonly name: string;
}

function readChannel(bytes: Uint8Array, target: Channel): Float64Array {
  const {buffer, byteOffset: start} = bytes;
  const count = target.frames * target.channels;
  switch (target.coding) {
    case 'u8':
      return readBytes(bytes, unsignedTable(), target);
    case 'alaw':
      return readBytes(bytes, aLawTable(), target);
    case 'mulaw':
      return readBytes(bytes, muLawTable(), target);
    case 's16':
      return read16(new Int16Array(buffer, start, count), target);
    case 's24':
      return read24(bytes, target);
    case 's32':
      return read32(new Int32Array(buffer, start, count), target);
    case 'f32':
      return readFloat32(new Float32Array(buffer, start, count), target);
    case 'f64':
      return readFloat64(new Float64Array(buffer, start, count), target);
  }
}

// One loop for each kind of array: a loop that meets several kinds is compiled to something many times slower.

function read16(source: Int16Array, {samples, channel, channels}: Channel): Float64Array {
  for (let i = 0, at = channel; i < samples.length; i++, at += channels) samples[i] = (source[at] as number) * 2 ** -15;
  return samples;
}

function read24(source: Uint8Array, {samples, channel, channels}: Channel): Float64Array {
  for (let i = 0, at = 3 * channel; i < samples.length; i++, at += 3 * channels) {
    const value = (source[at] as number) | ((source[at + 1] as number) << 8) | ((source[at + 2] as number) << 16);
    samples[i] = (value << 8) * 2 ** -31;
  }
  return samples;
}

function read32(source: Int32Array, {samples, channel, channels}: Channel): Float64Array {
  for (let i = 0, at = channel; i < samples.length; i++, at += channels) samples[i] = (source[at] as number) * 2 ** -31;
  return samples;
}

function readFloat32(source: Float32Array, {samples, channel, channels, name}: Channel): Float64Array {
  for (let i = 0, at = channel; i < samples.length; i++, at += channels) {
    const sample = source[at] as number;
    samples[i] = sample;
    if (!(Math.abs(sample) <= LARGEST_SAMPLE)) throw badSample(sample, i, channel, name);
  }
  return samples;
}

function readFloat64(source: Float64Array, {samples, channel, channels, name}: Channel): Float64Array {
  for (let i = 0, at = channel; i < samples.length; i++, at += channels) {
    const sample = source[at] as number;
    samples[i] = sample;
    if (!(Math.abs(sample) <= LARGEST_SAMPLE)) throw badSample(sample, i, channel, name);
  }
  return samples;
}

function readBytes(source: Uint8Array, table: Float64Array, {samples, channel, channels}: Channel): Float64Array {
  for (let i = 0, at = channel; i < samples.length; i++, at += channels) {
    samples[i] = table[source[at] as number] as number;
  }
  return samples;
}

function unsignedTable(): Float64Array {
  return Float64Array.from({length: 256}, (_, byte) => (byte - 128) / 2 ** 7);
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
