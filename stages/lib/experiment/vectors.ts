/** Vectors one after another: bytes of the quantisation, or values. */
export type Vectors = Uint8Array | Float32Array;

/** An array of the same type, of zeros. */
export function vectorsLike(data: Vectors, size: number): Vectors {
  return data instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
}
