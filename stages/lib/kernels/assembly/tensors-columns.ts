// Matrices (rows, columns) beside vectors of one value a column: sums, moments, and what batch normalisation makes of them.
// Sums of 64 rows at a time are float32, their totals float64 in `totals` (8 bytes a column).
import {put, take} from './tensors-lanes';

const ROWS = 64;

const PLAIN = 0;
const CENTRED_SQUARE = 1;
const PRODUCT = 2;

/** `sums[c]` = `scale` times the sum of column c. */
export function columnSums(x: usize, rows: i32, columns: i32, scale: f64, totals: usize, sums: usize): void {
  memory.fill(totals, 0, <usize>columns << 3);
  for (let r = 0; r < rows; r += ROWS) addRows(PLAIN, row(x, r, columns), 0, 0, min(ROWS, rows - r), columns, totals);
  writeTotals(totals, columns, scale, sums);
}

/** Mean and variance (division by the rows) of each column. */
export function columnMoments(x: usize, rows: i32, columns: i32, totals: usize, mean: usize, variance: usize): void {
  const scale = 1 / <f64>rows;
  columnSums(x, rows, columns, scale, totals, mean);
  memory.fill(totals, 0, <usize>columns << 3);
  for (let r = 0; r < rows; r += ROWS) {
    addRows(CENTRED_SQUARE, row(x, r, columns), 0, mean, min(ROWS, rows - r), columns, totals);
  }
  writeTotals(totals, columns, scale, variance);
}

/** Sums of the columns of `dy`, and of `dy` times `x`. `totals`: 16 bytes a column. */
export function columnPairSums(
  dy: usize, x: usize, rows: i32, columns: i32, totals: usize, sums: usize, products: usize,
): void {
  const others = totals + (<usize>columns << 3);
  memory.fill(totals, 0, <usize>columns << 4);
  for (let r = 0; r < rows; r += ROWS) {
    const from = row(dy, r, columns);
    const count = min(ROWS, rows - r);
    addRows(PLAIN, from, 0, 0, count, columns, totals);
    addRows(PRODUCT, from, row(x, r, columns), 0, count, columns, others);
  }
  writeTotals(totals, columns, 1, sums);
  writeTotals(others, columns, 1, products);
}

@inline
function row(x: usize, r: i32, columns: i32): usize {
  return x + (<usize>(r * columns) << 2);
}

/** Adds what a few rows sum up to. */
@inline
function addRows(kind: i32, x: usize, y: usize, mean: usize, rows: i32, columns: i32, totals: usize): void {
  const width = <usize>columns << 2;
  const end = width * <usize>rows;
  let c: usize = 0;
  for (; c + 64 <= width; c += 64) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let o = c; o < end; o += width) {
      s0 = f32x4.add(s0, term(kind, x + o, y + o, mean + c, true));
      s1 = f32x4.add(s1, term(kind, x + o + 16, y + o + 16, mean + c + 16, true));
      s2 = f32x4.add(s2, term(kind, x + o + 32, y + o + 32, mean + c + 32, true));
      s3 = f32x4.add(s3, term(kind, x + o + 48, y + o + 48, mean + c + 48, true));
    }
    const t = totals + (c << 1);
    addFour(t, s0);
    addFour(t + 32, s1);
    addFour(t + 64, s2);
    addFour(t + 96, s3);
  }
  for (; c + 16 <= width; c += 16) {
    let s = f32x4.splat(0);
    for (let o = c; o < end; o += width) s = f32x4.add(s, term(kind, x + o, y + o, mean + c, true));
    addFour(totals + (c << 1), s);
  }
  for (; c < width; c += 4) {
    let s = f32x4.splat(0);
    for (let o = c; o < end; o += width) s = f32x4.add(s, term(kind, x + o, y + o, mean + c, false));
    const t = totals + (c << 1);
    store<f64>(t, load<f64>(t) + <f64>f32x4.extract_lane(s, 0));
  }
}

@inline
function term(kind: i32, x: usize, y: usize, mean: usize, whole: bool): v128 {
  const value = take(x, whole);
  if (kind === PRODUCT) return f32x4.mul(value, take(y, whole));
  if (kind === PLAIN) return value;
  const centred = f32x4.sub(value, take(mean, whole));
  return f32x4.mul(centred, centred);
}

@inline
function addFour(totals: usize, sums: v128): void {
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(sums)));
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(sums, sums, 2, 3, 2, 3));
  v128.store(totals, f64x2.add(v128.load(totals, 16), high), 16);
}

function writeTotals(totals: usize, columns: i32, scale: f64, to: usize): void {
  for (; columns > 0; columns--) {
    store<f32>(to, <f32>(load<f64>(totals) * scale));
    totals += 8;
    to += 4;
  }
}

/** `sums[r]` = `scale` times the sum of row r. */
export function rowSums(x: usize, rows: i32, columns: i32, scale: f64, sums: usize): void {
  for (; rows > 0; rows--) {
    let total: f64 = 0;
    for (let left = columns; left > 0; ) {
      const count = min(left, 16 * ROWS);
      total += <f64>sumOf(x, count);
      x += <usize>count << 2;
      left -= count;
    }
    store<f32>(sums, <f32>(total * scale));
    sums += 4;
  }
}

@inline
function sumOf(x: usize, count: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; count >= 16; count -= 16) {
    s0 = f32x4.add(s0, v128.load(x));
    s1 = f32x4.add(s1, v128.load(x, 16));
    s2 = f32x4.add(s2, v128.load(x, 32));
    s3 = f32x4.add(s3, v128.load(x, 48));
    x += 64;
  }
  for (; count >= 4; count -= 4) {
    s0 = f32x4.add(s0, v128.load(x));
    x += 16;
  }
  const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  let sum = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
  for (; count > 0; count--) {
    sum += load<f32>(x);
    x += 4;
  }
  return sum;
}

/** y = x times `scale` plus `shift`, both one value a column. May work in place. */
export function affine(x: usize, scale: usize, shift: usize, y: usize, rows: i32, columns: i32): void {
  const width = <usize>columns << 2;
  const even = <usize>(columns & ~3) << 2;
  for (; rows > 0; rows--) {
    let c: usize = 0;
    for (; c < even; c += 16) affineAt(x + c, scale + c, shift + c, y + c, true);
    for (; c < width; c += 4) affineAt(x + c, scale + c, shift + c, y + c, false);
    x += width;
    y += width;
  }
}

@inline
function affineAt(x: usize, scale: usize, shift: usize, y: usize, whole: bool): void {
  put(y, f32x4.add(f32x4.mul(take(x, whole), take(scale, whole)), take(shift, whole)), whole);
}

/** out = dy times a plus x times b plus c, where a, b, c are one value a column. */
export function blend(dy: usize, x: usize, a: usize, b: usize, c: usize, out: usize, rows: i32, columns: i32): void {
  const width = <usize>columns << 2;
  const even = <usize>(columns & ~3) << 2;
  for (; rows > 0; rows--) {
    let o: usize = 0;
    for (; o < even; o += 16) blendAt(dy + o, x + o, a + o, b + o, c + o, out + o, true);
    for (; o < width; o += 4) blendAt(dy + o, x + o, a + o, b + o, c + o, out + o, false);
    dy += width;
    x += width;
    out += width;
  }
}

@inline
function blendAt(dy: usize, x: usize, a: usize, b: usize, c: usize, out: usize, whole: bool): void {
  const sum = f32x4.add(f32x4.mul(take(dy, whole), take(a, whole)), f32x4.mul(take(x, whole), take(b, whole)));
  put(out, f32x4.add(sum, take(c, whole)), whole);
}

/** In place: y plus `bias` (one value a column; 0: none), then, with `rectify`, no less than 0. */
export function addBias(y: usize, bias: usize, rows: i32, columns: i32, rectify: bool): void {
  const width = <usize>columns << 2;
  const even = <usize>(columns & ~3) << 2;
  const least = f32x4.splat(rectify ? 0 : -Infinity);
  for (; rows > 0; rows--) {
    let c: usize = 0;
    for (; c < even; c += 16) addBiasAt(y + c, bias ? bias + c : 0, least, true);
    for (; c < width; c += 4) addBiasAt(y + c, bias ? bias + c : 0, least, false);
    y += width;
  }
}

@inline
function addBiasAt(y: usize, bias: usize, least: v128, whole: bool): void {
  const value = take(y, whole);
  put(y, f32x4.max(bias ? f32x4.add(value, take(bias, whole)) : value, least), whole);
}
