import {BadClip} from '../audio/bad-clip.ts';
import {CRC_32} from './crc.ts';

/** One logical stream of an Ogg file. */
export interface OggStream {
  readonly packets: readonly Uint8Array[];
  /** Granule position of the first page that ends a packet after the headers, and how many packets end up to there. */
  readonly firstGranule: number;
  readonly firstPackets: number;
  /** Granule position at the end of the stream. */
  readonly lastGranule: number;
}

/**
 * Reads an Ogg file of a single logical stream whole: every page checked by its checksum and number, the end marked.
 * `headers` is the number of packets before the sound. Undefined for a file of several streams, beside or after each other.
 * Throws BadClip for a damaged or truncated file. Source: RFC 3533.
 */
export function readOgg(
  bytes: Uint8Array,
  headers: (first: Uint8Array) => number,
  name: string,
): OggStream | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let headerPackets: number | undefined;
  let first: {granule: number; packets: number} | undefined;
  let lastGranule = 0;
  let lastFlags = 0;
  let serial: number | undefined;
  let isSingle = true;
  let pageNumber = 0;
  for (let position = 0; position < bytes.length;) {
    const page = readPage(view, bytes, position, name);
    position = page.end;
    serial ??= page.serial;
    if (page.serial !== serial || (page.number === 0 && pageNumber > 0)) isSingle = false;
    if (!isSingle) continue;
    if (page.number !== pageNumber) throw new BadClip(`${name} is damaged: Ogg page ${pageNumber} is missing`, AGAIN);
    pageNumber++;
    lastFlags = page.flags;
    let at = page.body;
    for (const size of page.lacing) {
      parts.push(bytes.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts));
      parts = [];
    }
    // A page on which no packet ends has a granule position of -1.
    if (page.granule < 0) continue;
    lastGranule = page.granule;
    headerPackets ??= packets[0] === undefined ? undefined : headers(packets[0]);
    if (headerPackets !== undefined && packets.length > headerPackets) {
      first ??= {granule: page.granule, packets: packets.length - headerPackets};
    }
  }
  if (!isSingle) return undefined;
  if ((lastFlags & LAST_PAGE) === 0 || parts.length > 0) {
    throw new BadClip(`${name} is truncated: its last Ogg page does not end the stream`, AGAIN);
  }
  if (first === undefined) throw new BadClip(`${name} has no samples`, 'remove it from the clips');
  return {packets, firstGranule: first.granule, firstPackets: first.packets, lastGranule};
}

/** The first packet of an Ogg file, which names the codec; empty where there is none. */
export function firstPacket(bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEADER_BYTES) return new Uint8Array();
  const start = HEADER_BYTES + (bytes[26] as number);
  return bytes.subarray(start, start + (bytes[HEADER_BYTES] ?? 0));
}

const HEADER_BYTES = 27;
const LAST_PAGE = 4;
const AGAIN = 'fetch or export it again';

interface Page {
  readonly flags: number;
  readonly granule: number;
  readonly serial: number;
  readonly number: number;
  /** Sizes of the packets' parts; a part of less than 255 bytes ends a packet. */
  readonly lacing: Uint8Array;
  /** Positions of the body and of the next page. */
  readonly body: number;
  readonly end: number;
}

function readPage(view: DataView, bytes: Uint8Array, start: number, name: string): Page {
  if (start + HEADER_BYTES <= bytes.length && (view.getUint32(start) !== 0x4f676753 || bytes[start + 4] !== 0)) {
    throw new BadClip(`${name} is damaged: no Ogg page starts at byte ${start}`, AGAIN);
  }
  const body = start + HEADER_BYTES + (bytes[start + 26] ?? 0);
  const lacing = bytes.subarray(start + HEADER_BYTES, body);
  const end = lacing.reduce((sum, size) => sum + size, body);
  if (start + HEADER_BYTES > bytes.length || end > bytes.length) {
    throw new BadClip(`${name} is truncated: it ends inside an Ogg page`, AGAIN);
  }
  if (checksum(bytes, start, end) !== view.getUint32(start + 22, true)) {
    throw new BadClip(`${name} is damaged: the Ogg page at byte ${start} does not match its checksum`, AGAIN);
  }
  return {
    flags: bytes[start + 5] as number,
    granule: Number(view.getBigInt64(start + 6, true)),
    serial: view.getUint32(start + 14, true),
    number: view.getUint32(start + 18, true),
    lacing,
    body,
    end,
  };
}

/** Over the whole page with the checksum itself taken as zero. */
function checksum(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    const byte = i >= start + 22 && i < start + 26 ? 0 : (bytes[i] as number);
    crc = (crc << 8) ^ (CRC_32[(crc >>> 24) ^ byte] as number);
  }
  return crc >>> 0;
}
