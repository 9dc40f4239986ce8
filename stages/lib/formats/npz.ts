import {writeFileSync} from 'node:fs';
import {crc32} from 'node:zlib';
import {StageError} from 'mixdown/stage';
import {decodeNpy, encodeNpy, type NpyArray} from './npy.ts';
import {openRandomFile} from './random-file.ts';
import {zipMembers} from './zip.ts';

/**
 * Reads NumPy's .npz: a ZIP archive of .npy members, stored or deflated, each checked against its CRC. Names come without
 * `.npy`. `name` stands for the file in messages. Throws StageError for anything else.
 */
export function readNpz(path: string, name = 'the .npz file'): ReadonlyMap<string, NpyArray> {
  const file = openRandomFile(path, name);
  try {
    const members = zipMembers(file, (what) => new StageError(`${name} is not a usable .npz file: ${what}`));
    return new Map(
      members
        .filter((member) => member.name.endsWith('.npy'))
        .map((member) => [member.name.slice(0, -4), decodeNpy(member.read(), `${name}, member ${member.name},`)]),
    );
  } finally {
    file.close();
  }
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
const VERSION = 20;
/** 1980-01-01 in MS-DOS form, the earliest date. */
const DATE = 0x21;

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
