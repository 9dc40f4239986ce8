import {crc32, inflateRawSync, constants} from 'node:zlib';
import type {StageError} from 'mixdown/stage';
import type {RandomFile} from './random-file.ts';

/** A file in a ZIP archive. */
export interface ZipMember {
  readonly name: string;
  /** Bytes when unpacked, as the archive says. */
  readonly size: number;
  /** The content, checked against its CRC, in a buffer of its own. Throws StageError for damage. */
  read(): Uint8Array<ArrayBuffer>;
  /** The first bytes of the content, at least `count` where there are so many; not checked against the CRC. */
  start(count: number): Uint8Array<ArrayBuffer>;
}

/**
 * The members of a ZIP archive of less than 4 GB, stored or deflated. `broken` makes the error of what is wrong. Nothing is
 * allocated for bytes that the file cannot hold. Source: APPNOTE.TXT of PKWARE.
 */
export function zipMembers(file: RandomFile, broken: (what: string) => StageError): readonly ZipMember[] {
  const tailBytes = Math.min(file.size, END_BYTES + MOST_COMMENT_BYTES);
  const tail = Buffer.from(file.read(file.size - tailBytes, tailBytes).buffer);
  const end = tail.lastIndexOf(END_SIGNATURE);
  if (end === -1 || end + END_BYTES > tail.length) throw broken('it has no ZIP directory; it may be cut short');
  const count = tail.readUInt16LE(end + 10);
  const [directoryBytes, start] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (start + directoryBytes > file.size) throw broken('its ZIP directory is damaged');
  const directory = Buffer.from(file.read(start, directoryBytes).buffer);
  const members: ZipMember[] = [];
  for (let at = 0; members.length < count;) {
    if (at + DIRECTORY_BYTES > directory.length || directory.readUInt32LE(at) !== DIRECTORY_MARK) {
      throw broken('its ZIP directory is damaged');
    }
    const nameEnd = at + DIRECTORY_BYTES + directory.readUInt16LE(at + 28);
    if (nameEnd > directory.length) throw broken('its ZIP directory is damaged');
    const name = directory.toString('utf8', at + DIRECTORY_BYTES, nameEnd);
    members.push(
      member(file, (what) => broken(`member ${name} ${what}`), {
        name,
        method: directory.readUInt16LE(at + 10),
        crc: directory.readUInt32LE(at + 16),
        packedBytes: directory.readUInt32LE(at + 20),
        size: directory.readUInt32LE(at + 24),
        header: directory.readUInt32LE(at + 42),
      }),
    );
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return members;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly size: number;
  /** Byte of the member's own header. */
  readonly header: number;
}

const DIRECTORY_MARK = 0x02014b50;
const LOCAL_MARK = 0x04034b50;
const END_SIGNATURE = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const END_BYTES = 22;
const MOST_COMMENT_BYTES = 0xffff;
const LOCAL_BYTES = 30;
const DIRECTORY_BYTES = 46;
const STORED = 0;
const DEFLATED = 8;
/** Deflate makes at most 1032 bytes of one. */
const MOST_FOLD = 1032;

function member(file: RandomFile, broken: (what: string) => StageError, entry: Entry): ZipMember {
  const {name, method, crc, packedBytes, size, header} = entry;

  function packed(count: number): Uint8Array<ArrayBuffer> {
    if (method !== STORED && method !== DEFLATED) {
      throw broken(`cannot be unpacked (ZIP method ${method}; 0 and 8 are supported)`);
    }
    if (header + LOCAL_BYTES > file.size) throw broken('has no header');
    const local = Buffer.from(file.read(header, LOCAL_BYTES).buffer);
    if (local.readUInt32LE(0) !== LOCAL_MARK) throw broken('has no header');
    const start = header + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (start + packedBytes > file.size) throw broken('is cut short');
    if (size > packedBytes * (method === STORED ? 1 : MOST_FOLD)) throw broken(`cannot have ${size} bytes, as it says`);
    return file.read(start, Math.min(count, packedBytes));
  }

  return {
    name,
    size,
    read() {
      const bytes = packed(packedBytes);
      const content = method === STORED ? bytes : inflate(bytes, size);
      if (content === undefined || content.length !== size || crc32(content) !== crc)
        throw broken('fails its CRC check');
      return content;
    },
    start(count) {
      const bytes = packed(count);
      const content = method === STORED ? bytes : inflateStart(bytes);
      if (content === undefined) throw broken('fails its CRC check');
      return content;
    },
  };
}

/** Undefined for damaged data, and when there is more than `size`. */
function inflate(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return inflateRawSync(packed, {maxOutputLength: Math.max(1, size)});
  } catch {
    return undefined;
  }
}

/** What the first part of packed data unpacks to. */
function inflateStart(packed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    return inflateRawSync(packed, {finishFlush: constants.Z_SYNC_FLUSH});
  } catch {
    return undefined;
  }
}
