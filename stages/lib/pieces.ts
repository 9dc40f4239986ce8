/**
 * Which vector of a clip of `count` vectors goes to each place of each piece of `length`: consecutive pieces; a rest of at
 * least half a piece, or the only piece, is repeated to the full length; a shorter rest is dropped. `count` from 1.
 */
export function cutPieces(count: number, length: number): readonly (readonly number[])[] {
  const full = Math.floor(count / length);
  const rest = count - full * length;
  const pieces = Array.from({length: full}, (_, piece) => Array.from({length}, (_, i) => piece * length + i));
  if (rest > 0 && (full === 0 || 2 * rest >= length)) {
    pieces.push(Array.from({length}, (_, i) => full * length + (i % rest)));
  }
  return pieces;
}
