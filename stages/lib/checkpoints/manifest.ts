import {StageError} from 'mixdown/stage';
import {toFloat32} from '../formats/float-values.ts';
import type {RandomFile} from '../formats/random-file.ts';
import {shapeText, sizeOf, type StoredTensor} from './stored-tensor.ts';

/** A tensor as a manifest lists it: `offset` is its first byte in the file of values, `count` the number of float32. */
interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly count: number;
}

/** The list of a manifest: JSON with `tensors`, each with name, shape, offset and count. Undefined for other content. */
export function parseManifest(text: string): readonly Listed[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const tensors = isObject(value) ? value['tensors'] : undefined;
  return Array.isArray(tensors) && tensors.every(isListed) ? tensors : undefined;
}

/**
 * The tensors of a manifest and its file of float32 values, little endian. Throws StageError when the two do not fit. There are
 * no checksums: the size of the file is all that can be checked before the values are used.
 */
export function manifestTensors(listed: readonly Listed[], values: RandomFile): ReadonlyMap<string, StoredTensor> {
  const bytes = listed.reduce((most, {offset, count}) => Math.max(most, offset + 4 * count), 0);
  if (bytes !== values.size) {
    throw new StageError(`${values.name} has ${values.size} bytes; the manifest beside it lists tensors of ${bytes}`);
  }
  return new Map(
    listed.map(({name, shape, offset, count}) => [
      name,
      {
        shape,
        type: 'float32',
        read() {
          if (count === sizeOf(shape)) return toFloat32('F32', values.read(offset, 4 * count));
          throw new StageError(`tensor \`${name}\` has shape ${shapeText(shape)} and ${count} values in the manifest`);
        },
      },
    ]),
  );
}

function isListed(value: unknown): value is Listed {
  if (!isObject(value)) return false;
  const {name, shape, offset, count} = value;
  return typeof name === 'string' && Array.isArray(shape) && shape.every(isCount) && isCount(offset) && isCount(count);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
