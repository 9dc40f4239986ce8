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
  bytes.set(encodeSamples(channels, frames, encoding), headerBytes);
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

function encodeSamples(channels: readonly Float64Array[], frames: number, encoding: WavEncoding): Uint8Array {
  switch (encoding) {
    case 'float32':
      return bytesOf(interleaved(channels, new Float32Array(frames * channels.length)));
    case 'float64':
      return bytesOf(interleaved(channels, new Float64Array(frames * channels.length)));
    case 'pcm8':
      return bytesOf(quantized(channels, new Uint8Array(frames * channels.length), 8, 128));
    case 'pcm16':
      return bytesOf(quantized(channels, new Int16Array(frames * channels.length), 16));
    case 'pcm24':
      return lowerThree(quantized(channels, new Int32Array(frames * channels.length), 24));
    case 'pcm32':
      return bytesOf(quantized(channels, new Int32Array(frames * channels.length), 32));
  }
}

function interleaved<A extends Float32Array | Float64Array>(channels: readonly Float64Array[], target: A): A {
  const [only, second] = channels;
  if (only !== undefined && second === undefined) {
    target.set(only);
    return target;
  }
  for (const [c, samples] of channels.entries()) {
    for (let i = 0, at = c; i < samples.length; i++, at += channels.length) target[at] = samples[i] as number;
  }
  return target;
}

function quantized<A extends Uint8Array | Int16Array | Int32Array>(
  channels: readonly Float64Array[],
  target: A,
  bits: number,
  offset = 0,
): A {
  const full = 2 ** (bits - 1);
  for (const [c, samples] of channels.entries()) {
    for (let i = 0, at = c; i < samples.length; i++, at += channels.length) {
      const value = Math.round((samples[i] as number) * full);
      target[at] = Math.max(-full, Math.min(full - 1, value)) + offset;
    }
  }
  return target;
}

function lowerThree(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    bytes[3 * i] = value;
    bytes[3 * i + 1] = value >> 8;
    bytes[3 * i + 2] = value >> 16;
  }
  return bytes;
}

function bytesOf({buffer, byteOffset, byteLength}: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
