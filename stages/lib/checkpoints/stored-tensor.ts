/** A tensor of a file: its shape is known at once, its values are read when they are asked for. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** What the file calls the type of the values. */
  readonly type: string;
  /**
   * The values as float32 in C order, a new array each time. Throws StageError when the bytes are damaged or not floating-point
   * numbers.
   */
  read(): Float32Array;
}

/** The tensors of one model as some program left them. */
export interface Checkpoint {
  /** Kind of file, for messages: `TensorFlow checkpoint (V2)`. */
  readonly kind: string;
  /** Path in the folder. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The tensors cannot be read any more. */
  close(): void;
}

/** Number of values. NaN when an axis is negative or the product is beyond 2^53. */
export function sizeOf(shape: readonly number[]): number {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0) && Number.isSafeInteger(size) ? size : NaN;
}

/** `3 x 3 x 1 x 64`, `scalar`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join(' x ');
}
