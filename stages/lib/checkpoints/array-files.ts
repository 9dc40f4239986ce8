import {StageError} from 'mixdown/stage';
import {FLOAT_BYTES, toFloat32, type FloatType} from '../formats/float-values.ts';
import {describeNpy} from '../formats/npy.ts';
import type {RandomFile} from '../formats/random-file.ts';
import {safeTensorsEntries} from '../formats/safetensors.ts';
import {zipMembers, type ZipMember} from '../formats/zip.ts';
import {permute} from './permute.ts';
import {shapeText, sizeOf, type StoredTensor} from './stored-tensor.ts';

/** The arrays of a NumPy archive. Each is unpacked and checked against its CRC when it is read. */
export function npzTensors(file: RandomFile): ReadonlyMap<string, StoredTensor> {
  const members = zipMembers(file, (what) => new StageError(`${file.name} is not a usable .npz file: ${what}`));
  const arrays = members.filter(({name}) => name.endsWith('.npy'));
  return new Map(arrays.map((member) => [member.name.slice(0, -'.npy'.length), npzTensor(file, member)]));
}

/** The tensors of a .safetensors file. The format has no checksums. */
export function safeTensors(file: RandomFile): ReadonlyMap<string, StoredTensor> {
  const {entries} = safeTensorsEntries(file);
  return new Map(
    [...entries].map(([name, {dtype, shape, offset, bytes}]) => [
      name,
      {
        shape,
        type: dtype,
        read() {
          const what = `tensor \`${name}\` of ${file.name}`;
          if (!isFloatType(dtype)) throw new StageError(`${what} is of type ${dtype}, not a float type`);
          checkBytes(what, bytes, shape, dtype);
          return toFloat32(dtype, file.read(offset, bytes));
        },
      },
    ]),
  );
}

/** Enough for any header NumPy writes for an array of a few axes. */
const HEADER_BYTES = 1024;

/** NumPy's names of the types. */
const NPY_TYPES: ReadonlyMap<string, FloatType> = new Map([
  ['<f2', 'F16'],
  ['<f4', 'F32'],
  ['<f8', 'F64'],
]);

function npzTensor(file: RandomFile, member: ZipMember): StoredTensor {
  const what = `${file.name}, member ${member.name},`;
  const {descriptor, fortranOrder, shape, start} = describeNpy(member.start(HEADER_BYTES), what);
  return {
    shape,
    type: descriptor,
    read() {
      const type = NPY_TYPES.get(descriptor);
      if (type === undefined) throw new StageError(`${what} is of dtype ${descriptor}; <f2, <f4 or <f8 is needed`);
      checkBytes(what, member.size - start, shape, type);
      const values = toFloat32(type, member.read().subarray(start));
      const axes = shape.map((_, axis) => shape.length - 1 - axis);
      return fortranOrder ? permute(values, [...shape].reverse(), axes) : values;
    },
  };
}

function checkBytes(what: string, bytes: number, shape: readonly number[], type: FloatType): void {
  if (bytes === sizeOf(shape) * FLOAT_BYTES[type]) return;
  throw new StageError(`${what} has ${bytes} bytes, which does not fit its shape ${shapeText(shape)}`);
}

function isFloatType(text: string): text is FloatType {
  return Object.hasOwn(FLOAT_BYTES, text);
}
