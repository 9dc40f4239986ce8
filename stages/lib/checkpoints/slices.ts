import {sizeOf} from './stored-tensor.ts';

/** What a part takes of an axis. */
export type Extent = 'all' | {readonly start: number; readonly length: number};

/** A box in a tensor. */
interface Box {
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** Whether the part is the whole tensor, as its extents say it. */
export function isWhole(extents: readonly Extent[]): boolean {
  return extents.every((extent) => extent === 'all');
}

/** Shape of a part. Undefined when it does not lie in the tensor. */
export function partShape(shape: readonly number[], extents: readonly Extent[]): readonly number[] | undefined {
  return boxOf(shape, extents)?.lengths;
}

/**
 * Puts a tensor together from its parts; `read(i)` gives the values of part i and is called once for each. Undefined, before
 * anything is read or allocated, when the parts do not cover each value of the tensor exactly once.
 */
export function assemble(
  shape: readonly number[],
  parts: readonly (readonly Extent[])[],
  read: (part: number) => Float32Array,
): Float32Array | undefined {
  const boxes: Box[] = [];
  for (const extents of parts) {
    const box = boxOf(shape, extents);
    if (box === undefined || boxes.length >= MOST_PARTS) return undefined;
    if (boxes.some((other) => overlap(box, other))) return undefined;
    boxes.push(box);
  }
  const covered = boxes.reduce((sum, {lengths}) => sum + sizeOf(lengths), 0);
  if (covered !== sizeOf(shape)) return undefined;
  const whole = new Float32Array(covered);
  for (const [i, box] of boxes.entries()) copyBox(whole, shape, box, read(i));
  return whole;
}

const MOST_PARTS = 4096;

function boxOf(shape: readonly number[], extents: readonly Extent[]): Box | undefined {
  if (extents.length !== shape.length) return undefined;
  const starts = extents.map((extent) => (extent === 'all' ? 0 : extent.start));
  const lengths = extents.map((extent, axis) => (extent === 'all' ? (shape[axis] as number) : extent.length));
  const fits = shape.every((size, axis) => {
    const [start, length] = [starts[axis] as number, lengths[axis] as number];
    return start >= 0 && length >= 0 && start + length <= size;
  });
  return fits ? {starts, lengths} : undefined;
}

function overlap(a: Box, b: Box): boolean {
  if (sizeOf(a.lengths) === 0 || sizeOf(b.lengths) === 0) return false;
  return a.starts.every((start, axis) => {
    const [aEnd, bStart] = [start + (a.lengths[axis] as number), b.starts[axis] as number];
    return start < bStart + (b.lengths[axis] as number) && bStart < aEnd;
  });
}

/** Row by row: the values along the last axis lie together in both. */
function copyBox(whole: Float32Array, shape: readonly number[], {starts, lengths}: Box, values: Float32Array): void {
  const row = lengths.at(-1) ?? 1;
  if (values.length === 0) return;
  for (let from = 0; from < values.length; from += row) {
    let rest = from / row;
    let to = starts.at(-1) ?? 0;
    let stride = shape.at(-1) ?? 1;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const length = lengths[axis] as number;
      to += ((starts[axis] as number) + (rest % length)) * stride;
      rest = Math.floor(rest / length);
      stride *= shape[axis] as number;
    }
    whole.set(values.subarray(from, from + row), to);
  }
}
