import {BadClip, checkLength, checkedSamples} from '../audio/bad-clip.ts';
import type {Sound} from '../audio/wav.ts';
import {readOgg, type OggStream} from './ogg.ts';
import {strictly} from './strictly.ts';

/**
 * Decodes Opus in an Ogg container at 48 kHz, whatever the rate before encoding was: pre-skip and the excess at the end cut
 * off, the header's gain applied. Undefined for a file of several streams and for what only other decoders know.
 * Throws BadClip for a damaged or truncated file. Source: RFC 7845, RFC 6716.
 */
export async function decodeOpus(bytes: Uint8Array, name: string): Promise<Sound | undefined> {
  const stream = readOgg(bytes, () => HEADER_PACKETS, name);
  if (stream === undefined) return undefined;
  const head = readHead(stream.packets[0] as Uint8Array, name);
  const packets = stream.packets.slice(HEADER_PACKETS);
  if (head === undefined || packets.some(({length}) => length > head.channels * LARGEST_PACKET)) return undefined;
  const samples = lengthOf(stream, packets, head, name);
  checkLength(samples, head.channels, name);
  const {OpusDecoder} = await import('opus-decoder');
  const decoder = new OpusDecoder({...head, preSkip: 0, channelMappingTable: [...head.mapping]});
  await decoder.ready;
  const {channelData} = await strictly(name, 'Opus', () => decoder.decodeFrames(packets));
  const cut = channelData.map((data) => data.subarray(head.preSkip, head.preSkip + samples));
  if (cut.length !== head.channels || cut.some(({length}) => length !== samples)) {
    throw new BadClip(`${name} is damaged: fewer samples could be decoded than the ${samples} it states`);
  }
  const channels = checkedSamples(cut, name);
  if (head.gain !== 1) for (const channel of channels) for (let i = 0; i < samples; i++) channel[i]! *= head.gain;
  return {sampleRate: RATE_HZ, channels};
}

interface Head {
  readonly channels: number;
  /** Samples. */
  readonly preSkip: number;
  /** Factor. */
  readonly gain: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly mapping: readonly number[];
}

const HEADER_PACKETS = 2;
const RATE_HZ = 48_000;
/** Bytes for each channel that the decoder has room for. */
const LARGEST_PACKET = 3840;

function readHead(packet: Uint8Array, name: string): Head | undefined {
  const broken = new BadClip(`${name} is damaged: its Opus header makes no sense`);
  if (packet.length < 19) throw broken;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  // A higher major version, or channels that a matrix has to unmix.
  if (view.getUint8(8) > 15 || ![0, 1, 2, 255].includes(family)) return undefined;
  const common = {channels, preSkip: view.getUint16(10, true), gain: 10 ** (view.getInt16(16, true) / 256 / 20)};
  if (family === 0) {
    if (channels !== 1 && channels !== 2) throw broken;
    return {...common, streamCount: 1, coupledStreamCount: channels - 1, mapping: [0, 1].slice(0, channels)};
  }
  if (packet.length < 21 + channels) throw broken;
  const streamCount = view.getUint8(19);
  const coupledStreamCount = view.getUint8(20);
  const mapping = [...packet.subarray(21, 21 + channels)];
  const decoded = streamCount + coupledStreamCount;
  const fits = mapping.every((index) => index < decoded || index === 255);
  if (channels === 0 || streamCount === 0 || coupledStreamCount > streamCount || decoded > 255 || !fits) throw broken;
  return {...common, streamCount, coupledStreamCount, mapping};
}

/** Samples between the pre-skip and the end that the last page states. */
function lengthOf(stream: OggStream, packets: readonly Uint8Array[], head: Head, name: string): number {
  const durations = packets.map((packet) => packetDuration(packet));
  if (durations.some((duration) => duration === undefined || duration > LONGEST_PACKET)) {
    throw new BadClip(`${name} is damaged: it holds a packet that is no Opus`);
  }
  const sum = (values: readonly (number | undefined)[]): number => values.reduce<number>((a, b) => a + (b ?? 0), 0);
  // A stream cut out of a longer one does not start at 0. On a page that is the first and last, the position may be less
  // than what the page holds, to cut the end.
  const start = Math.max(0, stream.firstGranule - sum(durations.slice(0, stream.firstPackets)));
  const samples = stream.lastGranule - start - head.preSkip;
  if (samples + head.preSkip > sum(durations)) {
    throw new BadClip(`${name} is damaged: it states ${samples} samples and holds ${sum(durations) - head.preSkip}`);
  }
  return samples;
}

/** Samples, at 48 kHz, of 120 ms. */
const LONGEST_PACKET = 5760;

/** Samples at 48 kHz in a packet. Undefined for an empty one. Source: RFC 6716, section 3.1. */
function packetDuration(packet: Uint8Array): number | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const config = toc >> 3;
  const silk = [480, 960, 1920, 2880][config & 3] as number;
  const hybrid = [480, 960][config & 1] as number;
  const celt = [120, 240, 480, 960][config & 3] as number;
  const frame = config < 12 ? silk : config < 16 ? hybrid : celt;
  const code = toc & 3;
  if (code < 3) return code === 0 ? frame : 2 * frame;
  const second = packet[1];
  return second === undefined ? undefined : (second & 63) * frame;
}
