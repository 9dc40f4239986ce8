/** A dense float32 array in C order. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Arrays by name, such as the parameters of a model. */
export type Weights = ReadonlyMap<string, NamedArray>;
