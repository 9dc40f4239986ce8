import {StageError} from 'mixdown/stage';
import {maskedCrc32c} from '../formats/crc32c.ts';
import type {RandomFile} from '../formats/random-file.ts';
import {unpackSnappy} from './snappy.ts';

/** A sorted table of keys and values. Keys are bytes, given as latin1 text. */
export interface Sstable {
  /** The value under a key, in a buffer that is the caller's own. Undefined when there is none. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** All entries by key. Values are views into a block that stays unchanged until the next one. */
  entries(): Generator<readonly [key: string, value: Uint8Array], void>;
}

/** Where a block lies, without its trailer. */
interface Block {
  readonly offset: number;
  readonly size: number;
}

/** Entry of the index: no key of the block is above `last`, which is below each key of the next block. */
interface IndexedBlock extends Block {
  readonly last: string;
}

/**
 * Opens a table in LevelDB's format: blocks of entries whose keys share a prefix with the key before, restart points, a byte of
 * compression and a masked CRC-32C after each block, and a footer that says where the index is. Each block is checked when it
 * is read. Throws StageError for damage. Source: tensorflow/core/lib/io/{format,block,table}.cc.
 */
export function openSstable(file: RandomFile): Sstable {
  const broken = (what: string): StageError => new StageError(`${file.name} is damaged: ${what}`);
  const index = readIndex();
  let kept: {readonly block: Block; readonly bytes: Uint8Array<ArrayBuffer>} | undefined;

  function readIndex(): readonly IndexedBlock[] {
    if (!hasSstableFooter(file)) {
      throw new StageError(
        `${file.name} is no TensorFlow checkpoint, or is cut short: it does not end as one`,
        'compare its size with that of the original, and copy or download it again',
      );
    }
    const footer = file.read(file.size - FOOTER_BYTES, FOOTER_BYTES);
    const metaindex = readHandle(footer, 0);
    const handle = metaindex && readHandle(footer, metaindex.end);
    if (handle === undefined) throw broken('its footer does not say where the index is');
    const blocks: IndexedBlock[] = [];
    let before: string | undefined;
    for (const [last, value] of entriesOf(readBlock(handle))) {
      const block = readHandle(value, 0);
      if (block === undefined) throw broken('an entry of its index is not the place of a block');
      if (before !== undefined && last <= before) throw broken('its index is out of order');
      before = last;
      blocks.push({last, offset: block.offset, size: block.size});
    }
    return blocks;
  }

  function readBlock({offset, size}: Block): Uint8Array<ArrayBuffer> {
    const bytes = file.read(offset, size + TRAILER_BYTES);
    const stored = new DataView(bytes.buffer).getUint32(size + 1, true);
    if (maskedCrc32c(bytes.subarray(0, size + 1)) !== stored) {
      throw broken(`the block at byte ${offset} (${size} bytes) does not match its checksum`);
    }
    const content = bytes.subarray(0, size);
    if (bytes[size] === NO_COMPRESSION) return content;
    const unpacked = bytes[size] === SNAPPY ? unpackSnappy(content) : undefined;
    if (unpacked === undefined) throw broken(`the block at byte ${offset} cannot be unpacked (type ${bytes[size]})`);
    return unpacked;
  }

  function* entriesOf(bytes: Uint8Array<ArrayBuffer>): Generator<readonly [string, Uint8Array<ArrayBuffer>], void> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const restarts = bytes.length < 4 ? NaN : view.getUint32(bytes.length - 4, true);
    const end = bytes.length - 4 * (restarts + 1);
    if (!(end >= 0)) throw broken('a block has more restart points than bytes');
    let key = '';
    for (let at = 0; at < end;) {
      const shared = readVarint(bytes, at, end);
      const own = shared && readVarint(bytes, shared.end, end);
      const length = own && readVarint(bytes, own.end, end);
      if (!shared || !own || !length || shared.value > key.length || own.value + length.value > end - length.end) {
        throw broken('an entry of a block does not fit it');
      }
      if (shared.value + own.value > MOST_KEY_BYTES) throw broken(`a key has more than ${MOST_KEY_BYTES} bytes`);
      const value = length.end + own.value;
      key = key.slice(0, shared.value) + latin1(bytes.subarray(length.end, value));
      at = value + length.value;
      yield [key, bytes.subarray(value, at)];
    }
  }

  return {
    get(key) {
      const block = index.find(({last}) => last >= key);
      if (block === undefined) return undefined;
      const bytes = kept?.block === block ? kept.bytes : readBlock(block);
      kept = {block, bytes};
      for (const [found, value] of entriesOf(bytes)) {
        if (found !== key) continue;
        if (value.length <= MOST_COPIED_BYTES) return value.slice();
        // The caller gets the block with it.
        kept = undefined;
        return value;
      }
      return undefined;
    },

    *entries() {
      let before: string | undefined;
      for (const block of index) {
        for (const entry of entriesOf(readBlock(block))) {
          // Also an end to an index that names one block again and again.
          if (before !== undefined && entry[0] <= before) throw broken('its keys are out of order');
          before = entry[0];
          yield entry;
        }
      }
    },
  };
}

/** Whether the file ends as a table does. */
export function hasSstableFooter(file: RandomFile): boolean {
  return file.size >= FOOTER_BYTES && MAGIC.equals(file.read(file.size - MAGIC.length, MAGIC.length));
}

const FOOTER_BYTES = 48;
/** 0xdb4775248b80fb57, little endian. */
const MAGIC = Buffer.from([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);
/** Compression, then the checksum of the block with that byte. */
const TRAILER_BYTES = 5;
const NO_COMPRESSION = 0;
const SNAPPY = 1;
/** Small tensors lie together in a block, often with a large one after them, and then are copied; the block is read once. */
const MOST_COPIED_BYTES = 2 ** 20;
/** Far above any tensor's name: without a limit a small block could make very many very long keys. */
const MOST_KEY_BYTES = 2 ** 13;

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** Undefined when it does not end before `limit` or is above 2^53. */
function readVarint(bytes: Uint8Array, at: number, limit: number): Varint | undefined {
  let value = 0;
  for (let i = at, unit = 1; i < limit; i++, unit *= 128) {
    const byte = bytes[i] as number;
    value += (byte & 127) * unit;
    if (!Number.isSafeInteger(value)) return undefined;
    if (byte < 128) return {value, end: i + 1};
  }
  return undefined;
}

function readHandle(bytes: Uint8Array, at: number): (Block & {readonly end: number}) | undefined {
  const offset = readVarint(bytes, at, bytes.length);
  const size = offset && readVarint(bytes, offset.end, bytes.length);
  return offset && size && {offset: offset.value, size: size.value, end: size.end};
}

function latin1({buffer, byteOffset, length}: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}
