import {BadClip, checkLength, checkRate, checkedSamples} from '../audio/bad-clip.ts';
import type {Sound} from '../audio/wav.ts';
import {readOgg} from './ogg.ts';
import {strictly} from './strictly.ts';

/**
 * Decodes Vorbis in an Ogg container, cut to the length that the last page states. Undefined for a file of several streams.
 * Throws BadClip for a damaged or truncated file. Source: Vorbis I specification.
 */
export async function decodeVorbis(bytes: Uint8Array, name: string): Promise<Sound | undefined> {
  const stream = readOgg(bytes, () => HEADER_PACKETS, name);
  if (stream === undefined) return undefined;
  const head = stream.packets[0];
  if (head === undefined || head.length < 30) throw new BadClip(`${name} is damaged: its Vorbis header is too short`);
  const channels = head[11] as number;
  const sampleRate = new DataView(head.buffer, head.byteOffset).getUint32(12, true);
  checkRate(sampleRate, name);
  checkLength(stream.lastGranule, channels, name);
  const {OggVorbisDecoder} = await import('@wasm-audio-decoders/ogg-vorbis');
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  const {channelData, samplesDecoded, errors} = await strictly(name, 'Vorbis', () => decoder.decodeFile(bytes));
  if (errors[0] !== undefined) throw new BadClip(`${name} is damaged: the Vorbis decoder says: ${errors[0].message}`);
  // A stream cut out of a longer one does not start at 0; then the first page's position hides how much it holds.
  if (samplesDecoded > stream.lastGranule || samplesDecoded < stream.lastGranule - stream.firstGranule) {
    throw new BadClip(`${name} is damaged: ${samplesDecoded} of ${stream.lastGranule} samples could be decoded`);
  }
  checkLength(samplesDecoded, channels, name);
  return {sampleRate, channels: checkedSamples(channelData, name)};
}

const HEADER_PACKETS = 3;
