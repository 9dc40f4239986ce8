export interface CutRule {
  /** Vectors of a piece. */
  readonly length: number;
  /**
   * Of a clip longer than a piece: `split` makes consecutive pieces, and a rest of at least half a piece one more, a shorter
   * rest is dropped; `truncate` keeps the first piece only.
   */
  readonly long: 'split' | 'truncate';
  /** What fills a piece that is too short: `repeat`, its own vectors again from the start; `zero`, zeros. */
  readonly short: 'repeat' | 'zero';
}

/** Index of the vector at each place of a piece; undefined for a place to be filled with zeros. */
export type Piece = readonly (number | undefined)[];

/**
 * Pieces of a clip of `count` vectors, from 1. There is always one.
 *
 * Cutting vectors is cutting the waveform: patches of 96 frames do not overlap, so vector v is made of the samples
 * 15,360 v ... 15,360 v + 15,600 (16 kHz), and a piece of L vectors from vector i of just those that a waveform cut at
 * 15,360 i to a length of 15,360 L + 240 has. Only where a clip is repeated do the two differ: a waveform would have patches
 * that straddle the seam.
 */
export function cutPieces(count: number, {length, long, short}: CutRule): readonly Piece[] {
  const full = Math.floor(count / length);
  const rest = count - full * length;
  const wanted = long === 'truncate' ? Math.min(1, full) : full;
  const pieces: Piece[] = Array.from({length: wanted}, (_, piece) =>
    Array.from({length}, (_, i) => piece * length + i),
  );
  const keepRest = rest > 0 && (full === 0 || (long === 'split' && 2 * rest >= length));
  if (keepRest) {
    const start = full * length;
    pieces.push(
      Array.from({length}, (_, i) => (i < rest ? start + i : short === 'repeat' ? start + (i % rest) : undefined)),
    );
  }
  return pieces;
}

/** Vectors one after another: bytes of the quantisation, or values. */
export type Vectors = Uint8Array | Float32Array;

/** The vectors at the places of a piece, one after another; zeros where there is none. */
export function gatherPiece(data: Vectors, width: number, piece: Piece): Vectors {
  const size = piece.length * width;
  const values = data instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
  for (const [i, vector] of piece.entries()) {
    if (vector !== undefined) values.set(data.subarray(vector * width, (vector + 1) * width), i * width);
  }
  return values;
}
