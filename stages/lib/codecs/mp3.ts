import {BadClip, checkLength, checkedSamples} from '../audio/bad-clip.ts';
import type {Sound} from '../audio/wav.ts';
import {walkFrames} from './mp3-frames.ts';
import {strictly} from './strictly.ts';

/**
 * Decodes MPEG audio: layers I to III of MPEG 1, 2 and 2.5, the encoder's delay and padding cut off where a LAME tag states
 * them. Undefined for what is no such file, or of a free bit rate. Throws BadClip for a damaged or truncated file.
 */
export async function decodeMpeg(bytes: Uint8Array, name: string): Promise<(Sound & {layer: 1 | 2 | 3}) | undefined> {
  const stream = walkFrames(bytes, name);
  if (stream === undefined) return undefined;
  const {layer, sampleRate, channels, frames, frameSamples, delay = 0, padding = 0} = stream;
  checkLength(frames * frameSamples, channels, name);
  const {MPEGDecoder} = await import('mpg123-decoder');
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const decoded = await strictly(name, 'MPEG', () => decoder.decode(stream.data));
  const samples = Math.max(0, frames * frameSamples - delay - padding);
  if (decoded.samplesDecoded !== samples || decoded.sampleRate !== sampleRate) {
    throw new BadClip(`${name} is damaged: ${decoded.samplesDecoded} of ${samples} samples could be decoded`);
  }
  checkLength(samples, channels, name);
  return {sampleRate, layer, channels: checkedSamples(decoded.channelData.slice(0, channels), name)};
}
