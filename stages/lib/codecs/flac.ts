import {createHash} from 'node:crypto';
import {BadClip, checkLength, checkRate} from '../audio/bad-clip.ts';
import type {Sound} from '../audio/wav.ts';
import {checkFrames, readStreamInfo, splitFrames, type FlacFrames, type StreamInfo} from './flac-frames.ts';
import {readOgg} from './ogg.ts';
import {strictly} from './strictly.ts';

/**
 * Decodes FLAC of 8, 16 or 24 bits to the exact samples, sample / 2^(bits-1): every frame's checksum, the number of samples
 * and, where the file has it, the MD5 of the samples are checked. Undefined for other bit depths and for streams that change
 * their format. Throws BadClip for a damaged or truncated file. Source: RFC 9639.
 */
export async function decodeFlac(bytes: Uint8Array, name: string): Promise<Sound | undefined> {
  const {info, start} = readBlocks(bytes, name);
  const end = hasId3v1(bytes) ? bytes.length - ID3V1_BYTES : bytes.length;
  return decodeFrames(info, () => splitFrames(bytes.subarray(start, end), info, name), name);
}

/** As decodeFlac, for FLAC in an Ogg container. */
export async function decodeOggFlac(bytes: Uint8Array, name: string): Promise<Sound | undefined> {
  // 0x7f FLAC, two bytes of version, two of the number of further header packets, fLaC, the block's header of four bytes.
  const stream = readOgg(bytes, (first) => 1 + (first[7] ?? 0) * 256 + (first[8] ?? 0), name);
  const info = stream?.packets[0] && readStreamInfo(stream.packets[0].subarray(17));
  if (stream === undefined || info === undefined) return undefined;
  const frames = stream.packets.slice(1).filter((packet) => packet[0] === 0xff);
  return decodeFrames(info, () => checkFrames(frames, info, name), name);
}

const ID3V1_BYTES = 128;
const EXACT_BITS = [8, 16, 24];

function readBlocks(bytes: Uint8Array, name: string): {info: StreamInfo; start: number} {
  let info: StreamInfo | undefined;
  let position = 4;
  for (let isLast = false; !isLast;) {
    const head = bytes[position];
    const [a, b, c] = bytes.subarray(position + 1, position + 4);
    if (head === undefined || a === undefined || b === undefined || c === undefined) throw cutHeader(name);
    const size = a * 65_536 + b * 256 + c;
    if ((head & 127) === 0) info ??= readStreamInfo(bytes.subarray(position + 4, position + 4 + size));
    isLast = (head & 128) !== 0;
    position += 4 + size;
  }
  if (info === undefined || position > bytes.length) throw cutHeader(name);
  return {info, start: position};
}

function cutHeader(name: string): BadClip {
  return new BadClip(`${name} is truncated: it ends inside the header of FLAC`, 'fetch or export it again');
}

function hasId3v1(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(-ID3V1_BYTES)).toString('latin1', 0, 3) === 'TAG';
}

async function decodeFrames(info: StreamInfo, cut: () => FlacFrames, name: string): Promise<Sound | undefined> {
  checkRate(info.sampleRate, name);
  if (!EXACT_BITS.includes(info.bits)) return undefined;
  const {frames, samples, isUniform} = cut();
  if (!isUniform) return undefined;
  checkLength(samples, info.channels, name);
  if (info.samples > 0 && samples !== info.samples) {
    throw new BadClip(`${name} is truncated: it has ${samples} of ${info.samples} samples`, 'fetch or export it again');
  }
  const {FLACDecoder} = await import('@wasm-audio-decoders/flac');
  const decoder = new FLACDecoder();
  await decoder.ready;
  const {channelData, samplesDecoded} = await strictly(name, 'FLAC', () => decoder.decodeFrames([...frames]));
  if (samplesDecoded !== samples || channelData.length !== info.channels) {
    throw new BadClip(`${name} is damaged: ${samplesDecoded} of ${samples} samples could be decoded`);
  }
  const integers = channelData.map((data) => integersOf(data, info.bits));
  if (info.md5.some((byte) => byte !== 0) && !md5Of(integers, info.bits).equals(info.md5)) {
    throw new BadClip(`${name} is damaged: its samples do not match their MD5`, 'fetch or export it again');
  }
  return {sampleRate: info.sampleRate, channels: integers.map((values) => scaled(values, info.bits))};
}

/** The decoder divides by 2^(bits-1) - 1 in float32, which for up to 24 bits can be undone exactly. */
function integersOf(data: Float32Array, bits: number): Int32Array {
  const values = new Int32Array(data.length);
  const divisor = 2 ** (bits - 1) - 1;
  for (let i = 0; i < values.length; i++) values[i] = Math.round((data[i] as number) * divisor);
  return values;
}

function scaled(values: Int32Array, bits: number): Float64Array {
  const samples = new Float64Array(values.length);
  const scale = 2 ** (1 - bits);
  for (let i = 0; i < samples.length; i++) samples[i] = (values[i] as number) * scale;
  return samples;
}

function md5Of(channels: readonly Int32Array[], bits: number): Buffer {
  const sampleBytes = bits / 8;
  const frames = channels[0]?.length ?? 0;
  const bytes = new Uint8Array(frames * channels.length * sampleBytes);
  for (const [c, values] of channels.entries()) {
    for (let i = 0, at = c * sampleBytes; i < frames; i++, at += channels.length * sampleBytes) {
      const value = values[i] as number;
      for (let b = 0; b < sampleBytes; b++) bytes[at + b] = value >> (8 * b);
    }
  }
  return createHash('md5').update(bytes).digest();
}
