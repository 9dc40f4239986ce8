import {readFileSync, writeFileSync} from 'node:fs';
import {crc32, inflateRawSync} from 'node:zlib';
import {StageError} from 'mixdown/stage';
import {decodeNpy, encodeNpy, type NpyArray} from './npy.ts';

/**
 * Reads NumPy's .npz: a ZIP archive of .npy members, stored or deflated, each checked against its CRC. Names come without
 * `.npy`. `name` stands for the file in messages. Throws StageError for anything else. Source: APPNOTE.TXT of PKWARE.
 */
export function readNpz(path: string, name = 'the .npz file'): ReadonlyMap<string, NpyArray> {
  const bytes = readFileSync(path);
  const broken = (what: string): StageError => new StageError(`${name} is not a usable .npz file: ${what}`);
  const end = bytes.lastIndexOf(END_SIGNATURE);
  if (end === -1 || end + END_BYTES > bytes.length) throw broken('it has no ZIP directory; it may be cut short');
  const members = bytes.readUInt16LE(end + 10);
  let position = bytes.readUInt32LE(end + 16);
  const arrays = new Map<string, NpyArray>();
  for (let i = 0; i < members; i++) {
    if (position + DIRECTORY_BYTES > end || bytes.readUInt32LE(position) !== DIRECTORY_MARK) {
      throw broken('its ZIP directory is damaged');
    }
    const nameBytes = bytes.readUInt16LE(position + 28);
    const nameStart = position + DIRECTORY_BYTES;
    const member = bytes.toString('utf8', nameStart, nameStart + nameBytes);
    const content = memberContent(bytes, position, (what) => broken(`member ${member} ${what}`));
    if (member.endsWith('.npy')) arrays.set(member.slice(0, -4), decodeNpy(content, `${name}, member ${member},`));
    position = nameStart + nameBytes + bytes.readUInt16LE(position + 30) + bytes.readUInt16LE(position + 32);
  }
  return arrays;
}

/** Writes an uncompressed .npz, members sorted by name and dated 1980-01-01, so that equal arrays give equal bytes. */
export function writeNpz(path: string, arrays: Readonly<Record<string, NpyArray>>): void {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  const names = Object.keys(arrays).sort();
  for (const name of names) {
    const content = encodeNpy(arrays[name] as NpyArray);
    const fileName = Buffer.from(`${name}.npy`);
    const fields = memberFields(content, fileName.length);
    const local = Buffer.concat([uint32(LOCAL_MARK), fields, fileName]);
    directory.push(uint32(DIRECTORY_MARK), uint16(VERSION), fields, Buffer.alloc(10), uint32(position), fileName);
    parts.push(local, content);
    position += local.length + content.length;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const counts = [uint16(names.length), uint16(names.length), uint32(directoryBytes), uint32(position), uint16(0)];
  writeFileSync(path, Buffer.concat([...parts, ...directory, END_SIGNATURE, Buffer.alloc(4), ...counts]));
}

const LOCAL_MARK = 0x04034b50;
const DIRECTORY_MARK = 0x02014b50;
const END_SIGNATURE = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const END_BYTES = 22;
const LOCAL_BYTES = 30;
const DIRECTORY_BYTES = 46;
const VERSION = 20;
/** 1980-01-01 in MS-DOS form, the earliest date. */
const DATE = 0x21;

function memberContent(bytes: Buffer, entry: number, broken: (what: string) => StageError): Uint8Array {
  const method = bytes.readUInt16LE(entry + 10);
  const crc = bytes.readUInt32LE(entry + 16);
  const packedBytes = bytes.readUInt32LE(entry + 20);
  const local = bytes.readUInt32LE(entry + 42);
  if (local + LOCAL_BYTES > bytes.length || bytes.readUInt32LE(local) !== LOCAL_MARK) throw broken('has no header');
  const start = local + LOCAL_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const packed = bytes.subarray(start, start + packedBytes);
  const content = method === 0 ? packed : method === 8 ? inflate(packed) : undefined;
  if (content === undefined) throw broken(`cannot be unpacked (ZIP method ${method}; 0 and 8 are supported)`);
  if (crc32(content) !== crc) throw broken('fails its CRC check');
  return content;
}

/** Undefined for damaged data. */
function inflate(packed: Uint8Array): Uint8Array | undefined {
  try {
    return inflateRawSync(packed);
  } catch {
    return undefined;
  }
}

/** The part that a member's own header and its directory entry share, up to the length of the extra field. */
function memberFields(content: Uint8Array, nameBytes: number): Uint8Array {
  const size = uint32(content.length);
  const flagsMethodTime = Buffer.alloc(6);
  return Buffer.concat([
    uint16(VERSION),
    flagsMethodTime,
    uint16(DATE),
    uint32(crc32(content)),
    size,
    size,
    uint16(nameBytes),
    uint16(0),
  ]);
}

function uint16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
