/**
 * Writes TensorFlow checkpoints by the descriptions of their formats and without the code under test: tables with shared
 * prefixes, restart points and checksums, both versions of checkpoints, slices, shards, Snappy.
 */

export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Little endian. */
  readonly bytes: Uint8Array;
  /** Number in tensorflow.DataType; 1: float32. */
  readonly type?: number;
  /** Boxes that make up the tensor, instead of one whole; `values` of each. */
  readonly slices?: readonly WrittenSlice[];
}

export interface WrittenSlice {
  /** Start and length of each axis; undefined takes all of it. */
  readonly extents: readonly (readonly [start: number, length: number] | undefined)[];
  readonly bytes: Uint8Array;
}

export interface TableOptions {
  /** Bytes after which a block ends. */
  readonly blockBytes?: number;
  readonly restartInterval?: number;
  readonly snappy?: boolean;
}

export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

type Entry = readonly [key: string, value: Uint8Array];

/** A table of entries, which are sorted here; keys are latin1 text. */
export function sstable(
  entries: readonly Entry[],
  {blockBytes = 2 ** 18, restartInterval = 16, snappy = false}: TableOptions = {},
): Buffer {
  const sorted = entries.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')));
  const parts: Uint8Array[] = [];
  const index: Entry[] = [];
  let position = 0;
  const place = (list: readonly Entry[], interval: number): Buffer => {
    const content = block(list, interval);
    const packed = snappy ? packSnappy(content) : content;
    const typed = Buffer.concat([packed, Buffer.from([snappy ? 1 : 0])]);
    parts.push(typed, uint32(masked(crc(typed))));
    const handle = Buffer.concat([varint(position), varint(packed.length)]);
    position += typed.length + 4;
    return handle;
  };
  for (let from = 0; from < sorted.length;) {
    let [to, bytes] = [from, 0];
    for (; to < sorted.length && bytes < blockBytes; to++) bytes += (sorted[to]?.[1].length ?? 0) + 8;
    const handle = place(sorted.slice(from, to), restartInterval);
    index.push([sorted[to - 1]?.[0] ?? '', handle]);
    from = to;
  }
  const footer = Buffer.alloc(48);
  const handles = Buffer.concat([place([], 1), place(index, 1)]);
  handles.copy(footer);
  Buffer.from('57fb808b247547db', 'hex').copy(footer, 40);
  return Buffer.concat([...parts, footer]);
}

/** A checkpoint of the first version, in one file. */
export function checkpointV1(tensors: readonly WrittenTensor[], options?: TableOptions): Buffer {
  const listed = tensors.map(({name, shape, type = 1, slices}) =>
    field(1, [
      text(1, name),
      shapeField(2, shape),
      integer(3, type),
      ...boxes(shape, slices).map((box) => sliceField(4, box)),
    ]),
  );
  const meta = field(1, [...listed, field(2, [integer(1, 1)])]);
  const values = tensors.flatMap(({name, shape, bytes, type = 1, slices}) =>
    (slices ?? [{extents: shape.map(() => undefined), bytes}]).map(({extents, bytes}): Entry => {
      const data = type === 1 ? field(5, [bytes]) : type === 2 ? field(6, [bytes]) : field(13, [halves(bytes)]);
      return [keyOf(name, extents), field(2, [text(1, name), sliceField(2, extents), field(3, [data])])];
    }),
  );
  return sstable([['', meta], ...values], options);
}

/** A checkpoint of the second version by file name; tensors go to the data files in turn. */
export function checkpointV2(
  prefix: string,
  tensors: readonly WrittenTensor[],
  {shards = 1, ...options}: TableOptions & {readonly shards?: number} = {},
): Record<string, Buffer> {
  const data: Uint8Array[][] = Array.from({length: shards}, () => []);
  const offsets = data.map(() => 0);
  let turn = 0;
  const store = (key: string, shape: readonly number[], type: number, bytes: Uint8Array): Entry => {
    const shard = turn++ % shards;
    const offset = offsets[shard] ?? 0;
    data[shard]?.push(bytes);
    offsets[shard] = offset + bytes.length;
    const place = [integer(3, shard), integer(4, offset), integer(5, bytes.length)];
    const checksum = Buffer.concat([varint(6 * 8 + 5), uint32(masked(crc(bytes)))]);
    return [key, Buffer.concat([integer(1, type), shapeField(2, shape), ...place, checksum])];
  };
  const entries = tensors.flatMap(({name, shape, bytes, type = 1, slices}): Entry[] => {
    const key = Buffer.from(name).toString('latin1');
    if (slices === undefined) return [store(key, shape, type, bytes)];
    const whole = [integer(1, type), shapeField(2, shape), ...slices.map(({extents}) => sliceField(7, extents))];
    return [
      [key, Buffer.concat(whole)],
      ...slices.map(({extents, bytes}) =>
        store(
          keyOf(name, extents),
          extents.map((extent, axis) => extent?.[1] ?? shape[axis] ?? 0),
          type,
          bytes,
        ),
      ),
    ];
  });
  const header = Buffer.concat([integer(1, shards), field(3, [integer(1, 1)])]);
  const number = (i: number): string => String(i).padStart(5, '0');
  return {
    [`${prefix}.index`]: sstable([['', header], ...entries], options),
    ...Object.fromEntries(
      data.map((chunks, i) => [`${prefix}.data-${number(i)}-of-${number(shards)}`, Buffer.concat(chunks)]),
    ),
  };
}

/** Snappy with literals and copies of what came up to 64 KiB before. */
export function packSnappy(content: Uint8Array): Buffer {
  const parts: Uint8Array[] = [varint(content.length)];
  const seen = new Map<string, number>();
  let literal = 0;
  const flush = (end: number): void => {
    for (; literal < end; literal += 60) {
      const chunk = content.subarray(literal, Math.min(end, literal + 60));
      parts.push(Buffer.from([(chunk.length - 1) << 2]), chunk);
    }
    literal = end;
  };
  for (let at = 0; at + 4 <= content.length;) {
    const four = Buffer.from(content.subarray(at, at + 4)).toString('latin1');
    const before = seen.get(four);
    seen.set(four, at);
    if (before === undefined || at - before > 0xffff) {
      at++;
      continue;
    }
    let length = 4;
    while (length < 64 && at + length < content.length && content[before + length] === content[at + length]) length++;
    flush(at);
    const back = at - before;
    parts.push(
      length < 12 && back < 2048
        ? Buffer.from([((back >> 8) << 5) | ((length - 4) << 2) | 1, back & 255])
        : Buffer.from([((length - 1) << 2) | 2, back & 255, back >> 8]),
    );
    at += length;
    literal = at;
  }
  flush(content.length);
  return Buffer.concat(parts);
}

function block(entries: readonly Entry[], restartInterval: number): Buffer {
  const parts: Uint8Array[] = [];
  const restarts: number[] = [];
  let position = 0;
  let before = '';
  for (const [i, [key, value]] of entries.entries()) {
    let shared = 0;
    if (i % restartInterval === 0) restarts.push(position);
    else while (shared < key.length && key[shared] === before[shared]) shared++;
    const own = Buffer.from(key.slice(shared), 'latin1');
    const head = Buffer.concat([varint(shared), varint(own.length), varint(value.length), own]);
    parts.push(head, value);
    position += head.length + value.length;
    before = key;
  }
  if (restarts.length === 0) restarts.push(0);
  return Buffer.concat([...parts, ...restarts.map(uint32), uint32(restarts.length)]);
}

type Extents = WrittenSlice['extents'];

function boxes(shape: readonly number[], slices: readonly WrittenSlice[] | undefined): readonly Extents[] {
  return slices?.map(({extents}) => extents) ?? [shape.map(() => undefined)];
}

function shapeField(number: number, shape: readonly number[]): Buffer {
  return field(
    number,
    shape.map((size) => field(2, [integer(1, size)])),
  );
}

function sliceField(number: number, extents: Extents): Buffer {
  return field(
    number,
    extents.map((extent) => field(1, extent === undefined ? [] : [integer(1, extent[0]), integer(2, extent[1])])),
  );
}

/** The ordered code of a slice, as latin1 text. */
function keyOf(name: string, extents: Extents): string {
  const rank = extents.length === 0 ? [0] : [1, extents.length];
  const axes = extents.flatMap((extent) => [signedCode(extent?.[0] ?? 0), signedCode(extent?.[1] ?? -1)]);
  const start = [Buffer.from([0]), Buffer.from(name), Buffer.from([0, 1, ...rank])];
  return Buffer.concat([...start, ...axes]).toString('latin1');
}

/** Up to four bytes: the header bits of each length laid over the number in network order. */
function signedCode(value: number): Buffer {
  const count = [64, 8192, 2 ** 20, 2 ** 27].findIndex((limit) => value < limit && value >= -limit) + 1;
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  const own = bytes.subarray(4 - count);
  own[0] = (own[0] ?? 0) ^ ([0x80, 0xc0, 0xe0, 0xf0][count - 1] ?? 0);
  return own;
}

/** As TensorProto has them: an integer each. */
function halves(bytes: Uint8Array): Buffer {
  const words = new Uint16Array(bytes.slice().buffer);
  return Buffer.concat([...words].map(varint));
}

function text(number: number, value: string): Buffer {
  return field(number, [Buffer.from(value)]);
}

/** Protobuf: a field of bytes. */
function field(number: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(number * 8 + 2), varint(length), ...parts]);
}

/** Protobuf: an integer field. */
function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const CRC_TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0x82f63b78 : 0);
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 255] ?? 0);
  return ~value >>> 0;
}

function masked(value: number): number {
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
}
