import type {Sound} from './wav.ts';

export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';

/**
 * Encodes a WAV file with a format chunk and a data chunk (and the fact chunk that float files carry).
 * PCM: round(sample * 2^(bits-1)), samples beyond full scale are clipped; 8 bits are unsigned, the others signed.
 */
export function encodeWav({sampleRate, channels}: Sound, encoding: WavEncoding): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  const sampleBytes = SAMPLE_BYTES[encoding];
  const frameBytes = channels.length * sampleBytes;
  const dataBytes = frames * frameBytes;
  const isFloat = encoding.startsWith('float');
  const headerBytes = isFloat ? 58 : 44;
  const bytes = new Uint8Array(headerBytes + dataBytes + (dataBytes % 2));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const text = (tag: string): void => {
    for (const letter of tag) view.setUint8(at++, letter.charCodeAt(0));
  };
  const uint16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const uint32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  text('RIFF');
  uint32(bytes.length - 8);
  text('WAVEfmt ');
  uint32(isFloat ? 18 : 16);
  uint16(isFloat ? 3 : 1);
  uint16(channels.length);
  uint32(sampleRate);
  uint32(sampleRate * frameBytes);
  uint16(frameBytes);
  uint16(sampleBytes * 8);
  if (isFloat) {
    uint16(0);
    text('fact');
    uint32(4);
    uint32(frames);
  }
  text('data');
  uint32(dataBytes);
  const write = WRITERS[encoding];
  for (const [c, samples] of channels.entries()) {
    for (let i = 0; i < frames; i++) write(view, headerBytes + i * frameBytes + c * sampleBytes, samples[i] as number);
  }
  return bytes;
}

/** Bytes of one sample. */
export const SAMPLE_BYTES: Readonly<Record<WavEncoding, number>> = {
  pcm8: 1,
  pcm16: 2,
  pcm24: 3,
  pcm32: 4,
  float32: 4,
  float64: 8,
};

const WRITERS: Readonly<Record<WavEncoding, (view: DataView, at: number, sample: number) => void>> = {
  pcm8: (view, at, sample) => view.setUint8(at, quantize(sample, 8) + 128),
  pcm16: (view, at, sample) => view.setInt16(at, quantize(sample, 16), true),
  pcm24: (view, at, sample) => {
    const value = quantize(sample, 24);
    view.setUint16(at, value & 0xffff, true);
    view.setInt8(at + 2, value >> 16);
  },
  pcm32: (view, at, sample) => view.setInt32(at, quantize(sample, 32), true),
  float32: (view, at, sample) => view.setFloat32(at, sample, true),
  float64: (view, at, sample) => view.setFloat64(at, sample, true),
};

function quantize(sample: number, bits: number): number {
  const full = 2 ** (bits - 1);
  return Math.max(-full, Math.min(full - 1, Math.round(sample * full)));
}
