import {markReal, maskedValue} from './masked.ts';
import {multiScale} from './scales.ts';
import {vectorsLike, type Vectors} from './vectors.ts';

/** How the vectors of a clip become examples for a model. */
export interface PieceRule extends CutRule {
  /**
   * Sizes of the windows whose means make up a vector, in vectors: see multiScale. Only the vector itself, [1], unless given.
   */
  readonly scales?: readonly number[];
  /**
   * `cut`, unless given: as `long` and `short` say. `whole`: one piece a clip, of its first `length` vectors; where it has
   * fewer, masked vectors follow, which a model with `mask` leaves out.
   */
  readonly pieces?: 'cut' | 'whole';
}

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

/**
 * The pieces of a clip, each of `length` vectors one after another.
 *
 * @param data - the clip's vectors, at least one, of `width` values each
 * @returns with the values of a vector of a piece: `width` for each scale
 */
export function clipPieces(
  data: Vectors,
  width: number,
  {scales = [1], pieces = 'cut', ...rule}: PieceRule,
): {readonly pieces: readonly Vectors[]; readonly width: number} {
  const seen = multiScale(data, width, scales);
  const size = width * scales.length;
  const count = data.length / width;
  if (pieces === 'cut') {
    return {pieces: cutPieces(count, rule).map((piece) => gatherPiece(seen, size, piece, 0)), width: size};
  }
  const piece = Array.from({length: rule.length}, (_, i) => (i < count ? i : undefined));
  return {pieces: [gatherPiece(markReal(seen, size), size, piece, maskedValue(seen))], width: size};
}

/** Index of the vector at each place of a piece; undefined for a place to be filled. */
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

/** The vectors at the places of a piece, one after another; `fill` where there is none. */
function gatherPiece(data: Vectors, width: number, piece: Piece, fill: number): Vectors {
  const values = vectorsLike(data, piece.length * width).fill(fill);
  for (const [i, vector] of piece.entries()) {
    if (vector !== undefined) values.set(data.subarray(vector * width, (vector + 1) * width), i * width);
  }
  return values;
}
