// Matrix product without native code: four rows by eight columns at a time in registers, over panels of the right matrix that
// lie as they are read. Sums of 256 products are added up one after the other: the same order on every machine.
import {put} from './tensors-lanes';

/** Rows of the right matrix in a panel. */
const DEPTH = 256;
/** Rows of the left matrix that stay in cache while the panels pass by. */
const HEIGHT = 96;
/** Bytes of a row of a panel: eight columns. */
const STEP: usize = 32;

/**
 * c (m, n) = a (m, k) times b (k, n); `transposed`: times the transpose of b (n, k). `panels`: room for
 * min(k, 256) * (n + 7) values. c is neither a nor b.
 */
export function product(
  a: usize, b: usize, c: usize, m: i32, k: i32, n: i32, transposed: bool, panels: usize,
): void {
  if (k === 0) memory.fill(c, 0, <usize>(m * n) << 2);
  for (let from = 0; from < k; from += DEPTH) {
    const depth = min(DEPTH, k - from);
    if (transposed) packTransposed(b + (<usize>from << 2), panels, depth, n, k);
    else pack(b + (<usize>(from * n) << 2), panels, depth, n);
    for (let i = 0; i < m; i += HEIGHT) {
      const left = a + (<usize>(i * k + from) << 2);
      multiply(left, panels, c + (<usize>(i * n) << 2), min(HEIGHT, m - i), depth, n, k, from > 0);
    }
  }
}

function pack(b: usize, panels: usize, depth: i32, n: i32): void {
  const width = <usize>n << 2;
  for (let j = 0; j < n; j += 8) {
    const count = min(8, n - j);
    let from = b + (<usize>j << 2);
    for (let d = 0; d < depth; d++) {
      if (count === 8) {
        v128.store(panels, v128.load(from));
        v128.store(panels, v128.load(from, 16), 16);
      } else {
        for (let q = 0; q < 8; q++) store<f32>(panels + (<usize>q << 2), q < count ? load<f32>(from + (<usize>q << 2)) : 0);
      }
      panels += STEP;
      from += width;
    }
  }
}

/** `k`: length of a row of b, of which the first `depth` values are packed. */
function packTransposed(b: usize, panels: usize, depth: i32, n: i32, k: i32): void {
  for (let j = 0; j < n; j += 8) {
    for (let q = 0; q < 8; q++) {
      let to = panels + (<usize>q << 2);
      if (j + q < n) {
        let from = b + (<usize>((j + q) * k) << 2);
        for (let d = 0; d < depth; d++) {
          store<f32>(to, load<f32>(from));
          from += 4;
          to += STEP;
        }
      } else {
        for (let d = 0; d < depth; d++) {
          store<f32>(to, 0);
          to += STEP;
        }
      }
    }
    panels += <usize>depth * STEP;
  }
}

/** Of `m` rows, `depth` products each; `more`: added to what c holds. */
function multiply(a: usize, panels: usize, c: usize, m: i32, depth: i32, n: i32, k: i32, more: bool): void {
  const left = <usize>k << 2;
  const width = <usize>n << 2;
  const panel = <usize>depth * STEP;
  for (; m >= 4; m -= 4) {
    let from = panels;
    let to = c;
    for (let j = n; j > 0; j -= 8) {
      fourRows(a, left, from, from + panel, to, width, j, more);
      from += panel;
      to += 32;
    }
    a += left << 2;
    c += width << 2;
  }
  for (; m > 0; m--) {
    let from = panels;
    let to = c;
    for (let j = n; j > 0; j -= 8) {
      oneRow(a, from, from + panel, to, j, more);
      from += panel;
      to += 32;
    }
    a += left;
    c += width;
  }
}

@inline
function fourRows(
  a: usize, left: usize, from: usize, end: usize, to: usize, width: usize, columns: i32, more: bool,
): void {
  const b = a + left;
  const c = b + left;
  const d = c + left;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (let o: usize = 0; from < end; o += 4) {
    const r0 = v128.load(from);
    const r1 = v128.load(from, 16);
    const va = v128.load32_splat(a + o);
    a0 = f32x4.add(a0, f32x4.mul(va, r0));
    a1 = f32x4.add(a1, f32x4.mul(va, r1));
    const vb = v128.load32_splat(b + o);
    b0 = f32x4.add(b0, f32x4.mul(vb, r0));
    b1 = f32x4.add(b1, f32x4.mul(vb, r1));
    const vc = v128.load32_splat(c + o);
    c0 = f32x4.add(c0, f32x4.mul(vc, r0));
    c1 = f32x4.add(c1, f32x4.mul(vc, r1));
    const vd = v128.load32_splat(d + o);
    d0 = f32x4.add(d0, f32x4.mul(vd, r0));
    d1 = f32x4.add(d1, f32x4.mul(vd, r1));
    from += STEP;
  }
  putEight(to, a0, a1, columns, more);
  putEight(to + width, b0, b1, columns, more);
  putEight(to + 2 * width, c0, c1, columns, more);
  putEight(to + 3 * width, d0, d1, columns, more);
}

@inline
function oneRow(a: usize, from: usize, end: usize, to: usize, columns: i32, more: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  for (; from < end; from += STEP) {
    const va = v128.load32_splat(a);
    a0 = f32x4.add(a0, f32x4.mul(va, v128.load(from)));
    a1 = f32x4.add(a1, f32x4.mul(va, v128.load(from, 16)));
    a += 4;
  }
  putEight(to, a0, a1, columns, more);
}

/** Eight values, or as many as there are columns. */
function putEight(to: usize, low: v128, high: v128, columns: i32, more: bool): void {
  if (columns >= 8) {
    if (more) {
      low = f32x4.add(v128.load(to), low);
      high = f32x4.add(v128.load(to, 16), high);
    }
    v128.store(to, low);
    v128.store(to, high, 16);
    return;
  }
  for (let j = 0; j < columns; j++) {
    const lane = j < 4 ? low : high;
    put(to, more ? f32x4.add(v128.load32_splat(to), lane) : lane, false);
    to += 4;
    // The next value becomes the first one.
    if (j < 4) low = v128.shuffle<f32>(low, low, 1, 2, 3, 0);
    else high = v128.shuffle<f32>(high, high, 1, 2, 3, 0);
  }
}
