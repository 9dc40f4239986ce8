/** What the released features are made of, written by the formats' descriptions and without the code under test. */
export interface RecordClip {
  readonly videoId?: string;
  readonly start?: number;
  readonly end?: number;
  readonly labels?: readonly number[];
  readonly vectors?: readonly Uint8Array[];
}

/** A record of tf.train.SequenceExample as the release has it; what is not given has a plain default. */
export function encodeClip({
  videoId = 'abcdefghijk',
  start = 30,
  end = 40,
  labels = [0],
  vectors = [vector(1)],
}: RecordClip = {}): Buffer {
  return sequenceExample(
    {
      video_id: bytesFeature(Buffer.from(videoId)),
      start_time_seconds: floatFeature(start),
      end_time_seconds: floatFeature(end),
      labels: int64Feature(...labels),
    },
    {audio_embedding: vectors.map((values) => bytesFeature(values))},
  );
}

/** 128 values that tell which vector they are. */
export function vector(seed: number): Uint8Array {
  return Uint8Array.from({length: 128}, (_, i) => (seed * 31 + i * 7) % 256);
}

export function sequenceExample(
  context: Readonly<Record<string, Uint8Array>>,
  lists: Readonly<Record<string, readonly Uint8Array[]>>,
): Buffer {
  const features = Object.entries(context).map(([key, feature]) =>
    field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, feature)])),
  );
  const featureLists = Object.entries(lists).map(([key, list]) =>
    field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.concat(list.map((one) => field(1, one))))])),
  );
  return Buffer.concat([field(1, Buffer.concat(features)), field(2, Buffer.concat(featureLists))]);
}

export function bytesFeature(...values: readonly Uint8Array[]): Buffer {
  return field(1, Buffer.concat(values.map((value) => field(1, value))));
}

/** Packed, as TensorFlow writes it. */
export function floatFeature(...values: readonly number[]): Buffer {
  return field(2, field(1, Buffer.concat(values.map(float32))));
}

/** Packed, as TensorFlow writes it. */
export function int64Feature(...values: readonly (number | bigint)[]): Buffer {
  return field(3, field(1, Buffer.concat(values.map((value) => varint(value)))));
}

/** A field of wire type 2. */
export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

export function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A TFRecord file of these records. */
export function encodeTfRecords(...records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(records.flatMap((data) => [frameLength(data.length), data, checksum(data)]));
}

/** The twelve bytes before the data. */
export function frameLength(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([bytes, checksum(bytes)]);
}

function checksum(data: Uint8Array): Buffer {
  const crc = slowCrc32c(data);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return bytes;
}

/** CRC-32C bit by bit. */
export function slowCrc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** class_labels_indices.csv with invented names: class 7 is `/m/07`, `Sound 7, an "odd" one`. */
export function classTable(rows = 527): string {
  const lines = Array.from({length: rows}, (_, i) => `${i},${mid(i)},"Sound ${i}, an ""odd"" one"`);
  return `index,mid,display_name\n${lines.join('\n')}\n`;
}

function mid(index: number): string {
  return `/m/0${index}`;
}

/** A segments table as released. */
export function segmentsTable(rows: readonly RecordClip[], count = rows.length): string {
  const lines = rows.map(
    ({videoId = '', start = 30, end = 40, labels = [0]}) =>
      `${videoId}, ${start.toFixed(3)}, ${end.toFixed(3)}, "${labels.map(mid).join(',')}"`,
  );
  return [
    '# Segments csv created Sun Mar  5 10:54:31 2017',
    `# num_ytids=${count}, num_segs=${count}, num_unique_labels=527, num_positive_labels=1`,
    '# YTID, start_seconds, end_seconds, positive_labels',
    ...lines,
    '',
  ].join('\n');
}
