import {BadClip} from '../audio/bad-clip.ts';
import {CRC_16, CRC_8} from './crc.ts';

/** What a FLAC file says of itself. Source: RFC 9639, section 8.2. */
export interface StreamInfo {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
  /** Samples in each channel; 0 when the writer did not know. */
  readonly samples: number;
  /** Of the samples as interleaved little-endian integers; all zeros when the writer did not know. */
  readonly md5: Uint8Array;
}

export interface FlacFrames {
  readonly frames: readonly Uint8Array[];
  /** Samples in each channel. */
  readonly samples: number;
  /** Every frame has the rate, channels and bits of the stream info. */
  readonly isUniform: boolean;
}

/** Reads the content of a STREAMINFO block. Undefined when it is cut off. */
export function readStreamInfo(block: Uint8Array): StreamInfo | undefined {
  if (block.length < 34) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const packed = view.getUint32(10);
  return {
    sampleRate: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    bits: ((packed >>> 4) & 31) + 1,
    samples: (packed & 15) * 2 ** 32 + view.getUint32(14),
    md5: block.subarray(18, 34),
  };
}

/**
 * Cuts a stream of frames into frames. The stream does not say how long a frame is: one ends where its checksum fits and
 * the next one's header follows, or the file ends. Throws BadClip at the first byte that belongs to no frame.
 */
export function splitFrames(bytes: Uint8Array, info: StreamInfo, name: string): FlacFrames {
  const frames: Uint8Array[] = [];
  let samples = 0;
  let isUniform = true;
  for (let start = 0; start < bytes.length;) {
    const header = readHeader(bytes, start, info);
    const end = header === undefined ? undefined : frameEnd(bytes, start, header, info);
    if (header === undefined || end === undefined) throw brokenFrame(bytes, start, {frames, samples}, info, name);
    frames.push(bytes.subarray(start, end));
    samples += header.blockSize;
    isUniform &&= header.isUniform;
    start = end;
  }
  return {frames, samples, isUniform};
}

/** Frames that a container has cut already. */
export function checkFrames(frames: readonly Uint8Array[], info: StreamInfo, name: string): FlacFrames {
  let samples = 0;
  let isUniform = true;
  for (const [i, frame] of frames.entries()) {
    const header = readHeader(frame, 0, info);
    if (header === undefined || crc16(frame) !== 0) throw new BadClip(`${name} is damaged in its FLAC frame ${i + 1}`);
    samples += header.blockSize;
    isUniform &&= header.isUniform;
  }
  return {frames, samples, isUniform};
}

interface FrameHeader {
  /** Bytes of the header with its checksum. */
  readonly size: number;
  /** Samples in each channel. */
  readonly blockSize: number;
  /** Number of the frame, or of its first sample when frames differ in size. */
  readonly number: number;
  readonly isVariable: boolean;
  readonly isUniform: boolean;
}

/** Source: RFC 9639, section 9.1. Undefined where no header with a right checksum stands. */
function readHeader(bytes: Uint8Array, start: number, info: StreamInfo): FrameHeader | undefined {
  const second = bytes[start + 1];
  if (bytes[start] !== 0xff || second === undefined || (second & 0xfe) !== 0xf8 || start + 6 > bytes.length) return;
  const blockCode = (bytes[start + 2] as number) >> 4;
  const rateCode = (bytes[start + 2] as number) & 15;
  const channelCode = (bytes[start + 3] as number) >> 4;
  const bitsCode = ((bytes[start + 3] as number) >> 1) & 7;
  const lead = bytes[start + 4] as number;
  const extra = Math.max(0, Math.clz32(~(lead << 24)) - 1);
  if (blockCode === 0 || rateCode === 15 || channelCode > 10 || extra > 6 || (lead & 0xc0) === 0x80) return;
  let number = extra === 0 ? lead : lead & (0x3f >> extra);
  let at = start + 5;
  for (let i = 0; i < extra; i++) number = number * 64 + ((bytes[at++] ?? 0) & 0x3f);
  let blockSize = BLOCK_SIZES[blockCode] as number;
  if (blockCode === 6) blockSize = (bytes[at++] ?? 0) + 1;
  if (blockCode === 7) blockSize = (bytes[at++] ?? 0) * 256 + (bytes[at++] ?? 0) + 1;
  let rate = RATES[rateCode] ?? info.sampleRate;
  if (rateCode === 12) rate = (bytes[at++] ?? 0) * 1000;
  if (rateCode > 12) rate = ((bytes[at++] ?? 0) * 256 + (bytes[at++] ?? 0)) * (rateCode === 14 ? 10 : 1);
  let crc = 0;
  for (let i = start; i < at; i++) crc = CRC_8[crc ^ (bytes[i] ?? 0)] as number;
  if (bytes[at] !== crc) return;
  const channels = channelCode < 8 ? channelCode + 1 : 2;
  const bits = BITS[bitsCode] ?? info.bits;
  return {
    size: at + 1 - start,
    blockSize,
    number,
    isVariable: (second & 1) === 1,
    isUniform: channels === info.channels && bits === info.bits && rate === info.sampleRate,
  };
}

const BLOCK_SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const RATES = [undefined, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const BITS = [undefined, 8, 12, undefined, 16, 20, 24, 32];

function frameEnd(bytes: Uint8Array, start: number, header: FrameHeader, info: StreamInfo): number | undefined {
  const next = header.isVariable ? header.number + header.blockSize : header.number + 1;
  // The checksum at the end makes that of the whole frame zero.
  let crc = 0;
  for (let i = start; i < bytes.length; i++) {
    if (crc === 0 && bytes[i] === 0xff && i > start + header.size && readHeader(bytes, i, info)?.number === next)
      return i;
    crc = ((crc << 8) & 0xffff) ^ (CRC_16[(crc >> 8) ^ (bytes[i] as number)] as number);
  }
  return crc === 0 ? bytes.length : undefined;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (CRC_16[(crc >> 8) ^ byte] as number);
  return crc;
}

function brokenFrame(
  bytes: Uint8Array,
  start: number,
  {frames, samples}: Pick<FlacFrames, 'frames' | 'samples'>,
  info: StreamInfo,
  name: string,
): BadClip {
  const where = info.samples > 0 ? `after ${samples} of ${info.samples} samples` : `after ${samples} samples`;
  // Whether any later frame is whole tells a cut from a hole.
  let isCut = true;
  for (let i = start + 1; i < bytes.length && isCut; i++) isCut = readHeader(bytes, i, info) === undefined;
  return isCut
    ? new BadClip(`${name} is truncated or damaged in its last FLAC frame, ${where}`, 'fetch or export it again')
    : new BadClip(`${name} is damaged in its FLAC frame ${frames.length + 1}, ${where}`, 'fetch or export it again');
}
