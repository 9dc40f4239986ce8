/**
 * The values with their axes in another order: axis i of the result is axis `axes[i]` of `shape`, as numpy.transpose does.
 * In blocks along the axes that run fastest in either, so that a large matrix is read and written by cache lines.
 */
export function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const from = stridesOf(shape);
  const sizes = axes.map((axis) => shape[axis] as number);
  const reads = axes.map((axis) => from[axis] as number);
  const writes = stridesOf(sizes);
  const out = new Float32Array(values.length);
  if (values.length === 0 || shape.length < 2) {
    out.set(values);
    return out;
  }
  const last = shape.length - 1;
  // The axis of the result that runs fastest in the source.
  const fastest = axes.indexOf(last) === last ? last - 1 : axes.indexOf(last);
  const outer = sizes.map((_, axis) => axis).filter((axis) => axis !== last && axis !== fastest);
  const [rows, columns] = [sizes[fastest] as number, sizes[last] as number];
  const [rowRead, rowWrite] = [reads[fastest] as number, writes[fastest] as number];
  const columnRead = reads[last] as number;
  const blocks = outer.reduce((product, axis) => product * (sizes[axis] as number), 1);
  for (let block = 0; block < blocks; block++) {
    let [rest, read, write] = [block, 0, 0];
    for (const axis of outer) {
      const size = sizes[axis] as number;
      read += (rest % size) * (reads[axis] as number);
      write += (rest % size) * (writes[axis] as number);
      rest = Math.floor(rest / size);
    }
    for (let top = 0; top < rows; top += BLOCK) {
      for (let left = 0; left < columns; left += BLOCK) {
        const [bottom, right] = [Math.min(top + BLOCK, rows), Math.min(left + BLOCK, columns)];
        for (let row = top; row < bottom; row++) {
          const [readRow, writeRow] = [read + row * rowRead, write + row * rowWrite];
          for (let column = left; column < right; column++) {
            out[writeRow + column] = values[readRow + column * columnRead] as number;
          }
        }
      }
    }
  }
  return out;
}

/** 64 rows of 64 values are 16 KiB, which a first-level cache holds. */
const BLOCK = 64;

function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}
