import {BadClip} from '../audio/bad-clip.ts';

/** What a walk over the frames of an MPEG audio file finds. */
export interface MpegStream {
  readonly layer: 1 | 2 | 3;
  /** Hz. */
  readonly sampleRate: number;
  /** 1 when every frame is mono. */
  readonly channels: 1 | 2;
  /** The frames and the info frame, without tags. */
  readonly data: Uint8Array;
  /** Frames that hold sound, and the samples of each. */
  readonly frames: number;
  readonly frameSamples: number;
  /** Samples to cut off at both ends, from LAME's tag; undefined without one. */
  readonly delay: number | undefined;
  readonly padding: number | undefined;
}

/**
 * Walks over every frame of an MPEG 1, 2 or 2.5 audio file. Undefined when no frames can be followed: no MPEG audio, or of a
 * free bit rate. Throws BadClip for a file that is cut off, or has bytes between its frames that belong to none.
 * Sources: ISO/IEC 11172-3; the tags of Xing and LAME.
 */
export function walkFrames(bytes: Uint8Array, name: string): MpegStream | undefined {
  const start = firstFrame(bytes);
  const first = start === undefined ? undefined : readHeader(bytes, start);
  if (start === undefined || first === undefined) return undefined;
  let channels = first.channels;
  let frames = 0;
  let position = start;
  for (;;) {
    const frame = readHeader(bytes, position);
    if (frame === undefined || !isSameStream(frame, first)) break;
    if (position + frame.size > bytes.length) break;
    frames++;
    if (frame.channels === 2) channels = 2;
    position += frame.size;
  }
  const info = readInfo(bytes.subarray(start, start + first.size), first);
  const sounding = info === undefined ? frames : Math.max(0, frames - 1);
  const secondsIn = ((sounding * first.samples) / first.sampleRate).toFixed(1);
  const declared = info?.frames;
  if (declared !== undefined && sounding < declared) {
    throw new BadClip(
      `${name} is truncated or damaged: ${sounding} of ${declared} MPEG frames follow each other`,
      AGAIN,
    );
  }
  if (declared === undefined || sounding > declared) checkEnd(bytes, position, first, `${name} is`, secondsIn);
  return {
    layer: first.layer,
    sampleRate: first.sampleRate,
    channels,
    data: bytes.subarray(start, position),
    frames: sounding,
    frameSamples: first.samples,
    delay: info?.delay,
    padding: info?.padding,
  };
}

const AGAIN = 'fetch or export it again';

interface Header {
  readonly version: number;
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Bytes of the frame. */
  readonly size: number;
  /** Samples in each channel. */
  readonly samples: number;
  /** Bytes between the header and the main data of layer III. */
  readonly sideBytes: number;
}

function readHeader(bytes: Uint8Array, at: number): Header | undefined {
  const [a, b = 0, c = 0, d] = bytes.subarray(at, at + 4);
  if (a !== 0xff || (b & 0xe0) !== 0xe0 || d === undefined) return undefined;
  const version = [2.5, 0, 2, 1][(b >> 3) & 3] as number;
  const layer = 4 - ((b >> 1) & 3);
  const rate = [44_100, 48_000, 32_000, 0][(c >> 2) & 3] as number;
  const table = version === 1 ? KBIT_MPEG_1[layer - 1] : KBIT_MPEG_2[layer - 1];
  const kbit = table?.[c >> 4] ?? 0;
  if (version === 0 || (layer !== 1 && layer !== 2 && layer !== 3) || rate === 0 || kbit === 0) return undefined;
  const sampleRate = version === 1 ? rate : version === 2 ? rate / 2 : rate / 4;
  const padding = (c >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const bytesPerSample = (kbit * 1000) / 8 / sampleRate;
  const size =
    layer === 1
      ? (Math.floor((12_000 * kbit) / sampleRate) + padding) * 4
      : Math.floor(samples * bytesPerSample) + padding;
  const channels = d >> 6 === 3 ? 1 : 2;
  const sideBytes = version === 1 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  return {version, layer, sampleRate, channels, size, samples, sideBytes};
}

const KBIT_MPEG_1 = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
];
const KBIT_LOW = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const KBIT_MPEG_2 = [[0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256], KBIT_LOW, KBIT_LOW];

function isSameStream(a: Header, b: Header): boolean {
  return a.version === b.version && a.layer === b.layer && a.sampleRate === b.sampleRate;
}

/** Position of the first frame: after zeros that a tag's padding left, and followed by another frame, a tag or the end. */
function firstFrame(bytes: Uint8Array): number | undefined {
  let start = 0;
  while (bytes[start] === 0) start++;
  const first = readHeader(bytes, start);
  if (first === undefined) return undefined;
  const next = start + first.size;
  const second = readHeader(bytes, next);
  const isFollowed = second === undefined ? next >= bytes.length || isTag(bytes, next) : isSameStream(first, second);
  return isFollowed ? start : undefined;
}

function isTag(bytes: Uint8Array, at: number): boolean {
  return /^(TAG|APETAGEX|LYRICSBEGIN|ID3|3DI)/.test(Buffer.from(bytes.subarray(at, at + 11)).toString('latin1'));
}

/** What follows the last whole frame may be tags or zeros, not sound that is cut off or that lies behind a hole. */
function checkEnd(bytes: Uint8Array, end: number, first: Header, nameIs: string, secondsIn: string): void {
  if (end >= bytes.length || isTag(bytes, end)) return;
  const frame = readHeader(bytes, end);
  if (frame !== undefined && isSameStream(frame, first)) {
    throw new BadClip(`${nameIs} truncated: it ends inside an MPEG frame, ${secondsIn} s in`, AGAIN);
  }
  if (bytes.length - end > LARGEST_REST || frame !== undefined) {
    throw new BadClip(`${nameIs} damaged: what follows ${secondsIn} s in is no MPEG frame of this stream`, AGAIN);
  }
}

/** Bytes after the last frame that no one can take for sound that was lost. */
const LARGEST_REST = 128;

interface Info {
  readonly frames: number | undefined;
  readonly delay: number | undefined;
  readonly padding: number | undefined;
}

/** The tag that encoders write into a frame of silence at the start. */
function readInfo(frame: Uint8Array, header: Header): Info | undefined {
  if (header.layer !== 3) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const at = 4 + header.sideBytes;
  const text = (position: number, length: number): string =>
    Buffer.from(frame.subarray(position, position + length)).toString('latin1');
  if (!['Xing', 'Info'].includes(text(at, 4)) || at + 8 > frame.length) return undefined;
  const flags = view.getUint32(at + 4);
  const hasFrames = (flags & 1) !== 0 && at + 12 <= frame.length;
  const frames = hasFrames ? view.getUint32(at + 8) : undefined;
  const lame = at + 8 + ((flags & 1) + ((flags >> 1) & 1) + ((flags >> 3) & 1)) * 4 + ((flags >> 2) & 1) * 100;
  if (lame + 24 > frame.length || !/^(LAME|Lavf|Lavc|GOGO)/.test(text(lame, 4))) {
    return {frames, delay: undefined, padding: undefined};
  }
  const [a = 0, b = 0, c = 0] = frame.subarray(lame + 21, lame + 24);
  return {frames, delay: (a << 4) | (b >> 4), padding: ((b & 15) << 8) | c};
}
