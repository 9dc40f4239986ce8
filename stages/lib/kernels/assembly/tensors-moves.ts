// What lies where: transposes, and the patches of a convolution as rows or columns of a matrix.

/** Rows and columns of a tile that stays in cache. */
const TILE = 32;

/** to (columns, rows) = the transpose of from (rows, columns). */
export function transpose(from: usize, to: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r += TILE) {
    const bottom = min(rows, r + TILE);
    for (let c = 0; c < columns; c += TILE) transposeTile(from, to, rows, columns, r, bottom, c, min(columns, c + TILE));
  }
}

@inline
function transposeTile(
  from: usize, to: usize, rows: i32, columns: i32, r: i32, bottom: i32, left: i32, right: i32,
): void {
  const width = <usize>columns << 2;
  const height = <usize>rows << 2;
  for (; r + 4 <= bottom; r += 4) {
    let c = left;
    for (; c + 4 <= right; c += 4) {
      transposeFour(from + (<usize>(r * columns + c) << 2), to + (<usize>(c * rows + r) << 2), width, height);
    }
    for (; c < right; c++) {
      for (let q = r; q < r + 4; q++) copyOne(from, to, rows, columns, q, c);
    }
  }
  for (; r < bottom; r++) {
    for (let c = left; c < right; c++) copyOne(from, to, rows, columns, r, c);
  }
}

@inline
function transposeFour(from: usize, to: usize, width: usize, height: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + width);
  const c = v128.load(from + 2 * width);
  const d = v128.load(from + 3 * width);
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(to + height, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
  v128.store(to + 2 * height, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5));
  v128.store(to + 3 * height, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7));
}

@inline
function copyOne(from: usize, to: usize, rows: i32, columns: i32, r: i32, c: i32): void {
  store<f32>(to + (<usize>(c * rows + r) << 2), load<f32>(from + (<usize>(r * columns + c) << 2)));
}

/** Copies `rows` times `bytes` bytes (a multiple of 4, or few) from places `fromStep` apart to places `toStep` apart. */
export function copyRows(from: usize, fromStep: usize, to: usize, toStep: usize, bytes: usize, rows: i32): void {
  for (; rows > 0; rows--) {
    copyBytes(from, to, bytes);
    from += fromStep;
    to += toStep;
  }
}

/** Writes each of `rows` times `bytes` bytes `times` times, one after the other. */
export function repeatRows(from: usize, to: usize, bytes: usize, rows: i32, times: i32): void {
  for (; rows > 0; rows--) {
    for (let i = times; i > 0; i--) {
      copyBytes(from, to, bytes);
      to += bytes;
    }
    from += bytes;
  }
}

/** A call of memory.copy costs as much as some stores. */
@inline
function copyBytes(from: usize, to: usize, bytes: usize): void {
  if (bytes > 64 || (bytes & 3) !== 0) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let o: usize = 0; o < bytes; o += 4) store<u32>(to + o, load<u32>(from + o));
}
