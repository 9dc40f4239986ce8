import {StageError} from 'mixdown/stage';
import {maskedCrc32c} from '../formats/crc32c.ts';
import {FLOAT_BYTES, toFloat32} from '../formats/float-values.ts';
import type {RandomFile} from '../formats/random-file.ts';
import {sliceKey} from './slice-key.ts';
import {assemble, partShape, type Extent} from './slices.ts';
import {openSstable} from './sstable.ts';
import {shapeText, sizeOf, type StoredTensor} from './stored-tensor.ts';
import {checkVersion, floatType, messageReader, readShape, readSlice, typeName} from './tensorflow-protos.ts';

/** Opens the data file of a number, 0 ... shards - 1. Throws StageError when it is not there. */
export type OpenShard = (shard: number, shards: number) => RandomFile;

/**
 * The tensors of a TensorFlow checkpoint of the second version: `index` is a table with a header and an entry for each tensor
 * or slice of one, which says where in the data files its bytes lie. The bytes are checked against the entry's masked CRC-32C.
 * Sources: tensorflow/core/protobuf/tensor_bundle.proto, tensorflow/core/util/tensor_bundle/tensor_bundle.cc.
 */
export function tensorFlowV2(index: RandomFile, openShard: OpenShard): ReadonlyMap<string, StoredTensor> {
  const broken = (what: string): StageError => new StageError(`${index.name} is damaged: ${what}`);
  const entries = new Map<string, Entry>();
  let shards: number | undefined;
  for (const [key, value] of openSstable(index).entries()) {
    if (shards === undefined) {
      if (key !== '') throw new StageError(`${index.name} is no index of a TensorFlow checkpoint: it has no header`);
      shards = readHeader(value, index.name);
    } else entries.set(key, readEntry(value, index.name));
  }
  if (shards === undefined) throw new StageError(`${index.name} is no index of a TensorFlow checkpoint: it is empty`);
  const count = shards;

  function readWhole(name: string, {type, shape, shard, offset, size, checksum}: Entry): Float32Array {
    const values = floatType(type);
    if (values === undefined) {
      throw new StageError(`tensor \`${name}\` of ${index.name} is of ${typeName(type)}, not a float type`);
    }
    if (size !== sizeOf(shape) * FLOAT_BYTES[values]) {
      throw broken(`tensor \`${name}\` of shape ${shapeText(shape)} cannot have ${size} bytes`);
    }
    if (!(shard >= 0 && shard < count)) throw broken(`tensor \`${name}\` should lie in data file ${shard} of ${count}`);
    const data = openShard(shard, count);
    const bytes = data.read(offset, size);
    if (maskedCrc32c(bytes) !== checksum) {
      throw new StageError(`${data.name} is damaged: the bytes of tensor \`${name}\` do not match their checksum`);
    }
    return toFloat32(values, bytes);
  }

  function readSliced(name: string, {type, shape, slices}: Entry): Float32Array {
    const parts = slices.map((extents) => {
      const part = entries.get(sliceKey(name, extents));
      const fits = part && shapeText(part.shape) === shapeText(partShape(shape, extents) ?? [NaN]);
      if (part === undefined || !fits || part.type !== type || part.slices.length > 0) {
        throw broken(`a slice of tensor \`${name}\` is missing or has another shape`);
      }
      return part;
    });
    const bytes = parts.reduce((sum, {size}) => sum + size, 0);
    const whole =
      sizeOf(shape) <= bytes ? assemble(shape, slices, (i) => readWhole(name, parts[i] as Entry)) : undefined;
    if (whole === undefined)
      throw broken(`the slices of tensor \`${name}\` do not make up its shape ${shapeText(shape)}`);
    return whole;
  }

  const tensors = new Map<string, StoredTensor>();
  for (const [key, entry] of entries) {
    // Slices have keys that start with 0, which no name does.
    if (key.startsWith('\0')) continue;
    const name = Buffer.from(key, 'latin1').toString();
    const read = entry.slices.length > 0 ? readSliced : readWhole;
    tensors.set(name, {shape: entry.shape, type: typeName(entry.type), read: () => read(name, entry)});
  }
  return tensors;
}

/** Version of the format that this reads: kTensorBundleVersion. */
const VERSION = 1;

interface Entry {
  readonly type: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
  readonly slices: readonly (readonly Extent[])[];
}

/** Number of data files. BundleHeaderProto: num_shards 1, endianness 2, version 3. */
function readHeader(bytes: Uint8Array, name: string): number {
  const reader = messageReader(bytes, name);
  let shards = 0;
  while (reader.next()) {
    if (reader.field === 1) shards = reader.integer('the number of data files');
    else if (reader.field === 2 && reader.integer('the byte order') !== 0) {
      throw new StageError(`${name} says that its data is big endian`, 'write the checkpoint again on another machine');
    } else if (reader.field === 3) checkVersion(reader, VERSION, name);
    else if (reader.field !== 2) reader.skip();
  }
  return shards;
}

/** BundleEntryProto: dtype 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6, slices 7. */
function readEntry(bytes: Uint8Array, name: string): Entry {
  const reader = messageReader(bytes, name);
  let [type, shard, offset, size, checksum] = [0, 0, 0, 0, 0];
  let shape: readonly number[] = [];
  const slices: (readonly Extent[])[] = [];
  while (reader.next()) {
    if (reader.field === 1) type = reader.integer('the type of a tensor');
    else if (reader.field === 2) shape = readShape(reader, 'the shape of a tensor');
    else if (reader.field === 3) shard = reader.integer('the data file of a tensor');
    else if (reader.field === 4) offset = reader.integer('the place of a tensor');
    else if (reader.field === 5) size = reader.integer('the size of a tensor');
    else if (reader.field === 6) checksum = reader.fixed32('the checksum of a tensor');
    else if (reader.field === 7) slices.push(readSlice(reader, 'a slice of a tensor'));
    else reader.skip();
  }
  return {type, shape, shard, offset, size, checksum, slices};
}
