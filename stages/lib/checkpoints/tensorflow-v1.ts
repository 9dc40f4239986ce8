import {StageError} from 'mixdown/stage';
import {FLOAT_BYTES, toFloat32, type FloatType} from '../formats/float-values.ts';
import type {RandomFile} from '../formats/random-file.ts';
import type {WireReader} from '../formats/wire-reader.ts';
import {groupBy} from '../group-by.ts';
import {sliceKey} from './slice-key.ts';
import {assemble, isWhole, partShape, type Extent} from './slices.ts';
import {openSstable, type Sstable} from './sstable.ts';
import {shapeText, sizeOf, type StoredTensor} from './stored-tensor.ts';
import {checkVersion, floatType, messageReader, readShape, readSlice, typeName} from './tensorflow-protos.ts';

/**
 * The tensors of a TensorFlow checkpoint of the first version, in which the released VGGish is: a table whose entry without a
 * name lists the tensors, and whose other entries hold their values, whole or in slices. `files` are its shards, mostly one.
 * A tensor is found by its key and read alone; each block that is read is checked. Sources:
 * tensorflow/core/util/saved_tensor_slice.proto, tensor_slice_reader.cc.
 */
export function tensorFlowV1(files: readonly RandomFile[]): ReadonlyMap<string, StoredTensor> {
  const listed = files.flatMap((file) => {
    const table = openSstable(file);
    return readContents(table, file).map((tensor) => ({...tensor, file, table}));
  });
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entries] of groupBy(listed, (tensor) => tensor.name)) {
    const [{shape, type, file}] = entries as [ListedPart, ...ListedPart[]];
    if (entries.some((other) => other.type !== type || shapeText(other.shape) !== shapeText(shape))) {
      throw new StageError(
        `${file.name} and another part of it list tensor \`${name}\` with different shapes or types`,
      );
    }
    const parts = entries.flatMap(({slices, table, file}) => slices.map((extents) => ({extents, table, file})));
    tensors.set(name, {shape, type: typeName(type), read: () => readTensor(name, shape, type, parts)});
  }
  return tensors;
}

/** Version of checkpoints that this reads: TF_CHECKPOINT_VERSION. */
const VERSION = 1;

interface ListedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly slices: readonly (readonly Extent[])[];
}

type ListedPart = ListedTensor & Place;

interface Place {
  readonly file: RandomFile;
  readonly table: Sstable;
}

type Part = Place & {readonly extents: readonly Extent[]};

/** The list of tensors: of SavedTensorSlices, `meta` (1). */
function readContents(table: Sstable, file: RandomFile): readonly ListedTensor[] {
  const reader = messageReader(table.get('') ?? new Uint8Array(0), file.name);
  const tensors: ListedTensor[] = [];
  let lists = 0;
  while (reader.next()) {
    if (reader.field === 1) {
      lists++;
      readList(reader, tensors, file.name);
    } else reader.skip();
  }
  if (lists === 0) throw new StageError(`${file.name} is no TensorFlow checkpoint: its table has no list of tensors`);
  return tensors;
}

/** SavedTensorSliceMeta: tensor 1, versions 2. */
function readList(reader: WireReader, tensors: ListedTensor[], fileName: string): void {
  const outer = reader.enter('the list of tensors');
  while (reader.next()) {
    if (reader.field === 1) tensors.push(readListed(reader));
    else if (reader.field === 2) checkVersion(reader, VERSION, fileName);
    else reader.skip();
  }
  reader.leave(outer);
}

/** SavedSliceMeta: name 1, shape 2, type 3, slice 4. */
function readListed(reader: WireReader): ListedTensor {
  let [name, type] = ['', 0];
  let shape: readonly number[] = [];
  const slices: (readonly Extent[])[] = [];
  const outer = reader.enter('a listed tensor');
  while (reader.next()) {
    if (reader.field === 1) name = reader.text('the name of a tensor');
    else if (reader.field === 2) shape = readShape(reader, `the shape of \`${name}\``);
    else if (reader.field === 3) type = reader.integer(`the type of \`${name}\``);
    else if (reader.field === 4) slices.push(readSlice(reader, `a slice of \`${name}\``));
    else reader.skip();
  }
  reader.leave(outer);
  return {name, shape, type, slices};
}

function readTensor(name: string, shape: readonly number[], type: number, parts: readonly Part[]): Float32Array {
  const where = parts[0]?.file.name ?? 'the checkpoint';
  const values = floatType(type);
  if (values === undefined)
    throw new StageError(`tensor \`${name}\` of ${where} is of ${typeName(type)}, not a float type`);
  const read = ({extents, file, table}: Part): Float32Array => {
    const size = sizeOf(partShape(shape, extents) ?? [NaN]);
    // A value takes a byte at least: a size beyond the file is not worth looking for.
    if (!(size <= file.size)) {
      throw new StageError(`${file.name} is damaged: tensor \`${name}\` (${shapeText(shape)}) is larger than the file`);
    }
    const record = table.get(sliceKey(name, extents));
    if (record === undefined)
      throw new StageError(`${file.name} lists tensor \`${name}\` but does not have its values`);
    return readValues(record, name, values, size, file.name);
  };
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && isWhole(only.extents)) return read(only);
  const bytes = parts.reduce((sum, {file}) => sum + file.size, 0);
  const whole =
    sizeOf(shape) <= bytes
      ? assemble(
          shape,
          parts.map(({extents}) => extents),
          (i) => read(parts[i] as Part),
        )
      : undefined;
  if (whole === undefined) {
    throw new StageError(
      `${where} is damaged: the slices of tensor \`${name}\` do not make up its shape ${shapeText(shape)}`,
    );
  }
  return whole;
}

/** Of SavedTensorSlices the `data` (2). */
function readValues(
  record: Uint8Array<ArrayBuffer>,
  name: string,
  type: FloatType,
  size: number,
  fileName: string,
): Float32Array {
  const reader = messageReader(record, fileName);
  const found: FoundValues = {name: undefined, chunks: []};
  while (reader.next()) {
    if (reader.field === 2) readSavedSlice(reader, type, found);
    else reader.skip();
  }
  const bytes = joined(found.chunks);
  if (found.name !== name || bytes.length !== size * FLOAT_BYTES[type]) {
    throw new StageError(
      `${fileName} is damaged: where the ${size} values of tensor \`${name}\` should lie, ` +
        `there are ${bytes.length} bytes of values of \`${found.name ?? ''}\``,
    );
  }
  return toFloat32(type, bytes);
}

interface FoundValues {
  name: string | undefined;
  readonly chunks: Uint8Array[];
}

/** SavedSlice: name 1, data 3. */
function readSavedSlice(reader: WireReader, type: FloatType, found: FoundValues): void {
  const outer = reader.enter('the values of a tensor');
  while (reader.next()) {
    if (reader.field === 1) found.name = reader.text('the name of a tensor');
    else if (reader.field === 3) collectChunks(reader, type, found.chunks);
    else reader.skip();
  }
  reader.leave(outer);
}

/** TensorProto: tensor_content 4, float_val 5, double_val 6, half_val 13, the latter as integers. */
function collectChunks(reader: WireReader, type: FloatType, chunks: Uint8Array[]): void {
  const what = 'the values of a tensor';
  const outer = reader.enter(what);
  while (reader.next()) {
    const {field} = reader;
    if (field === CONTENT || (field === VALUES[type] && field !== HALVES && reader.wire === 2))
      chunks.push(reader.take(what));
    else if (field === FLOATS && type === 'F32') chunks.push(singleFloat(reader, what));
    else if (field === HALVES && VALUES[type] === HALVES) {
      const halves: number[] = [];
      reader.integers(halves, what);
      chunks.push(new Uint8Array(Uint16Array.from(halves).buffer));
    } else reader.skip();
  }
  reader.leave(outer);
}

const CONTENT = 4;
const FLOATS = 5;
const HALVES = 13;
const VALUES: Readonly<Record<FloatType, number>> = {F32: FLOATS, F64: 6, F16: HALVES, BF16: HALVES};

/** A writer that does not pack gives each number a field. */
function singleFloat(reader: WireReader, what: string): Uint8Array {
  const values: number[] = [];
  reader.floats(values, what);
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** The one chunk as it is, which saves a copy of a large tensor. */
function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only as Uint8Array<ArrayBuffer>;
  const all = new Uint8Array(chunks.reduce((sum, {length}) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
