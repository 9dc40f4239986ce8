// The passes of fft.ts. A complex point takes 32 bytes: the real parts of both lanes, then their imaginary parts.
//
// A forward pass of radix r over a block of r * m points turns each r points that lie m apart into their r-point
// transform, then multiplies by the twiddles (decimation in frequency). An inverse pass undoes it but for the factor r: it
// multiplies by the conjugate twiddles first. So forward passes take natural to digit-reversed order, inverse passes back.
//
// `stride` is 32 * m bytes; `blocks` blocks follow each other from `base`; `twiddles` holds the r - 1 factors of the first
// point, then of the next, 16 bytes each.

export const POINT: usize = 32;
const TWIDDLE: usize = 16;

@inline
function add(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}

@inline
function sub(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}

/** Cosines and sines of the odd radices. From memory: building a constant in a register takes three instructions each time. */
const CONSTANTS = memory.data<f64>([
  0.5, 0.8660254037844386,
  0.30901699437494745, -0.8090169943749475, 0.9510565162951535, 0.5877852522924731,
  0.6234898018587336, -0.22252093395631434, -0.900968867902419,
  0.7818314824680298, 0.9749279121818236, 0.4338837391175582, -0.7818314824680298, -0.4338837391175582,
]);
const HALF: usize = 0;
const S3_1: usize = 8;
const C5_1: usize = 16;
const C5_2: usize = 24;
const S5_1: usize = 32;
const S5_2: usize = 40;
const C7_1: usize = 48;
const C7_2: usize = 56;
const C7_3: usize = 64;
const S7_1: usize = 72;
const S7_2: usize = 80;
const S7_3: usize = 88;
const MINUS_S7_1: usize = 96;
const MINUS_S7_3: usize = 104;

@inline
function scale(a: v128, constant: usize): v128 {
  return f64x2.mul(a, v128.load64_splat(CONSTANTS + constant));
}

@inline
function turnedRe(re: v128, im: v128, wr: v128, wi: v128): v128 {
  return f64x2.sub(f64x2.mul(re, wr), f64x2.mul(im, wi));
}

@inline
function turnedIm(re: v128, im: v128, wr: v128, wi: v128): v128 {
  return f64x2.add(f64x2.mul(re, wi), f64x2.mul(im, wr));
}

/** Real part of a point; an inverse pass turns it back by its twiddle. */
@inline
function takeRe(inverse: bool, at: usize, twiddle: usize): v128 {
  const re = v128.load(at);
  if (!inverse) return re;
  const im = v128.load(at, 16);
  return f64x2.add(f64x2.mul(re, v128.load64_splat(twiddle)), f64x2.mul(im, v128.load64_splat(twiddle, 8)));
}

@inline
function takeIm(inverse: bool, at: usize, twiddle: usize): v128 {
  const im = v128.load(at, 16);
  if (!inverse) return im;
  const re = v128.load(at);
  return f64x2.sub(f64x2.mul(im, v128.load64_splat(twiddle)), f64x2.mul(re, v128.load64_splat(twiddle, 8)));
}

/** Stores a point; a forward pass turns it by its twiddle. */
@inline
function put(inverse: bool, at: usize, twiddle: usize, re: v128, im: v128): void {
  if (inverse) {
    v128.store(at, re);
    v128.store(at, im, 16);
    return;
  }
  const wr = v128.load64_splat(twiddle);
  const wi = v128.load64_splat(twiddle, 8);
  v128.store(at, turnedRe(re, im, wr, wi));
  v128.store(at, turnedIm(re, im, wr, wi), 16);
}

@inline
function putPlain(at: usize, re: v128, im: v128): void {
  v128.store(at, re);
  v128.store(at, im, 16);
}

/** Stores m - in as point k and m + in as point r - k, the other way round in an inverse pass. */
@inline
function putPair(inverse: bool, at: usize, twiddle: usize, at2: usize, twiddle2: usize, mr: v128, mi: v128, nr: v128, ni: v128): void {
  if (inverse) {
    put(inverse, at2, twiddle2, add(mr, ni), sub(mi, nr));
    put(inverse, at, twiddle, sub(mr, ni), add(mi, nr));
  } else {
    put(inverse, at, twiddle, add(mr, ni), sub(mi, nr));
    put(inverse, at2, twiddle2, sub(mr, ni), add(mi, nr));
  }
}

@inline
function radix2(inverse: bool, base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  for (; blocks > 0; blocks--) {
    let w = twiddles;
    for (const end = base + stride; base < end; base += POINT) {
      const p1 = base + stride;
      const r0 = v128.load(base);
      const i0 = v128.load(base, 16);
      const r1 = takeRe(inverse, p1, w);
      const i1 = takeIm(inverse, p1, w);
      putPlain(base, add(r0, r1), add(i0, i1));
      put(inverse, p1, w, sub(r0, r1), sub(i0, i1));
      w += TWIDDLE;
    }
    base += stride;
  }
}

export function forward2(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix2(false, base, stride, blocks, twiddles);
}

export function inverse2(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix2(true, base, stride, blocks, twiddles);
}

@inline
function radix3(inverse: bool, base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  for (; blocks > 0; blocks--) {
    let w = twiddles;
    for (const end = base + stride; base < end; base += POINT) {
      const p1 = base + stride;
      const p2 = p1 + stride;
      const r0 = v128.load(base);
      const i0 = v128.load(base, 16);
      const r1 = takeRe(inverse, p1, w);
      const i1 = takeIm(inverse, p1, w);
      const r2 = takeRe(inverse, p2, w + TWIDDLE);
      const i2 = takeIm(inverse, p2, w + TWIDDLE);
      const tr = add(r1, r2);
      const ti = add(i1, i2);
      putPlain(base, add(r0, tr), add(i0, ti));
      putPair(
        inverse, p1, w, p2, w + TWIDDLE,
        sub(r0, scale(tr, HALF)), sub(i0, scale(ti, HALF)),
        scale(sub(r1, r2), S3_1), scale(sub(i1, i2), S3_1),
      );
      w += 2 * TWIDDLE;
    }
    base += 2 * stride;
  }
}

export function forward3(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix3(false, base, stride, blocks, twiddles);
}

export function inverse3(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix3(true, base, stride, blocks, twiddles);
}

@inline
function radix4(inverse: bool, base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  for (; blocks > 0; blocks--) {
    let w = twiddles;
    for (const end = base + stride; base < end; base += POINT) {
      const p1 = base + stride;
      const p2 = p1 + stride;
      const p3 = p2 + stride;
      const r0 = v128.load(base);
      const i0 = v128.load(base, 16);
      const r2 = takeRe(inverse, p2, w + TWIDDLE);
      const i2 = takeIm(inverse, p2, w + TWIDDLE);
      const ar = add(r0, r2);
      const ai = add(i0, i2);
      const br = sub(r0, r2);
      const bi = sub(i0, i2);
      const r1 = takeRe(inverse, p1, w);
      const i1 = takeIm(inverse, p1, w);
      const r3 = takeRe(inverse, p3, w + 2 * TWIDDLE);
      const i3 = takeIm(inverse, p3, w + 2 * TWIDDLE);
      const cr = add(r1, r3);
      const ci = add(i1, i3);
      putPlain(base, add(ar, cr), add(ai, ci));
      put(inverse, p2, w + TWIDDLE, sub(ar, cr), sub(ai, ci));
      putPair(inverse, p1, w, p3, w + 2 * TWIDDLE, br, bi, sub(r1, r3), sub(i1, i3));
      w += 3 * TWIDDLE;
    }
    base += 3 * stride;
  }
}

export function forward4(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix4(false, base, stride, blocks, twiddles);
}

export function inverse4(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix4(true, base, stride, blocks, twiddles);
}

/** Blocks of 4 points, where every twiddle is 1. */
@inline
function leaf4(inverse: bool, base: usize, blocks: i32): void {
  for (; blocks > 0; blocks--) {
    const r0 = v128.load(base);
    const i0 = v128.load(base, 16);
    const r2 = v128.load(base, 64);
    const i2 = v128.load(base, 80);
    const ar = add(r0, r2);
    const ai = add(i0, i2);
    const br = sub(r0, r2);
    const bi = sub(i0, i2);
    const r1 = v128.load(base, 32);
    const i1 = v128.load(base, 48);
    const r3 = v128.load(base, 96);
    const i3 = v128.load(base, 112);
    const cr = add(r1, r3);
    const ci = add(i1, i3);
    const dr = sub(r1, r3);
    const di = sub(i1, i3);
    putPlain(base, add(ar, cr), add(ai, ci));
    putPlain(base + 2 * POINT, sub(ar, cr), sub(ai, ci));
    putPlain(base + (inverse ? 3 : 1) * POINT, add(br, di), sub(bi, dr));
    putPlain(base + (inverse ? 1 : 3) * POINT, sub(br, di), add(bi, dr));
    base += 4 * POINT;
  }
}

export function forwardLeaf4(base: usize, blocks: i32): void {
  leaf4(false, base, blocks);
}

export function inverseLeaf4(base: usize, blocks: i32): void {
  leaf4(true, base, blocks);
}

@inline
function radix5(inverse: bool, base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  for (; blocks > 0; blocks--) {
    let w = twiddles;
    for (const end = base + stride; base < end; base += POINT) {
      const p1 = base + stride;
      const p2 = p1 + stride;
      const p3 = p2 + stride;
      const p4 = p3 + stride;
      const r0 = v128.load(base);
      const i0 = v128.load(base, 16);
      const r1 = takeRe(inverse, p1, w);
      const i1 = takeIm(inverse, p1, w);
      const r4 = takeRe(inverse, p4, w + 3 * TWIDDLE);
      const i4 = takeIm(inverse, p4, w + 3 * TWIDDLE);
      const t1r = add(r1, r4);
      const t1i = add(i1, i4);
      const s1r = sub(r1, r4);
      const s1i = sub(i1, i4);
      const r2 = takeRe(inverse, p2, w + TWIDDLE);
      const i2 = takeIm(inverse, p2, w + TWIDDLE);
      const r3 = takeRe(inverse, p3, w + 2 * TWIDDLE);
      const i3 = takeIm(inverse, p3, w + 2 * TWIDDLE);
      const t2r = add(r2, r3);
      const t2i = add(i2, i3);
      const s2r = sub(r2, r3);
      const s2i = sub(i2, i3);
      putPlain(base, add(r0, add(t1r, t2r)), add(i0, add(t1i, t2i)));
      putPair(
        inverse, p1, w, p4, w + 3 * TWIDDLE,
        add(r0, add(scale(t1r, C5_1), scale(t2r, C5_2))), add(i0, add(scale(t1i, C5_1), scale(t2i, C5_2))),
        add(scale(s1r, S5_1), scale(s2r, S5_2)), add(scale(s1i, S5_1), scale(s2i, S5_2)),
      );
      putPair(
        inverse, p2, w + TWIDDLE, p3, w + 2 * TWIDDLE,
        add(r0, add(scale(t1r, C5_2), scale(t2r, C5_1))), add(i0, add(scale(t1i, C5_2), scale(t2i, C5_1))),
        sub(scale(s1r, S5_2), scale(s2r, S5_1)), sub(scale(s1i, S5_2), scale(s2i, S5_1)),
      );
      w += 4 * TWIDDLE;
    }
    base += 4 * stride;
  }
}

export function forward5(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix5(false, base, stride, blocks, twiddles);
}

export function inverse5(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix5(true, base, stride, blocks, twiddles);
}

@inline
function weigh(a: v128, wa: usize, b: v128, wb: usize, c: v128, wc: usize): v128 {
  return add(add(scale(a, wa), scale(b, wb)), scale(c, wc));
}

@inline
function radix7(inverse: bool, base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  for (; blocks > 0; blocks--) {
    let w = twiddles;
    for (const end = base + stride; base < end; base += POINT) {
      const p1 = base + stride;
      const p2 = p1 + stride;
      const p3 = p2 + stride;
      const p4 = p3 + stride;
      const p5 = p4 + stride;
      const p6 = p5 + stride;
      const r0 = v128.load(base);
      const i0 = v128.load(base, 16);
      const r1 = takeRe(inverse, p1, w);
      const i1 = takeIm(inverse, p1, w);
      const r6 = takeRe(inverse, p6, w + 5 * TWIDDLE);
      const i6 = takeIm(inverse, p6, w + 5 * TWIDDLE);
      const t1r = add(r1, r6);
      const t1i = add(i1, i6);
      const s1r = sub(r1, r6);
      const s1i = sub(i1, i6);
      const r2 = takeRe(inverse, p2, w + TWIDDLE);
      const i2 = takeIm(inverse, p2, w + TWIDDLE);
      const r5 = takeRe(inverse, p5, w + 4 * TWIDDLE);
      const i5 = takeIm(inverse, p5, w + 4 * TWIDDLE);
      const t2r = add(r2, r5);
      const t2i = add(i2, i5);
      const s2r = sub(r2, r5);
      const s2i = sub(i2, i5);
      const r3 = takeRe(inverse, p3, w + 2 * TWIDDLE);
      const i3 = takeIm(inverse, p3, w + 2 * TWIDDLE);
      const r4 = takeRe(inverse, p4, w + 3 * TWIDDLE);
      const i4 = takeIm(inverse, p4, w + 3 * TWIDDLE);
      const t3r = add(r3, r4);
      const t3i = add(i3, i4);
      const s3r = sub(r3, r4);
      const s3i = sub(i3, i4);
      putPlain(base, add(add(r0, t1r), add(t2r, t3r)), add(add(i0, t1i), add(t2i, t3i)));
      putPair(
        inverse, p1, w, p6, w + 5 * TWIDDLE,
        add(r0, weigh(t1r, C7_1, t2r, C7_2, t3r, C7_3)), add(i0, weigh(t1i, C7_1, t2i, C7_2, t3i, C7_3)),
        weigh(s1r, S7_1, s2r, S7_2, s3r, S7_3), weigh(s1i, S7_1, s2i, S7_2, s3i, S7_3),
      );
      putPair(
        inverse, p2, w + TWIDDLE, p5, w + 4 * TWIDDLE,
        add(r0, weigh(t1r, C7_2, t2r, C7_3, t3r, C7_1)), add(i0, weigh(t1i, C7_2, t2i, C7_3, t3i, C7_1)),
        weigh(s1r, S7_2, s2r, MINUS_S7_3, s3r, MINUS_S7_1), weigh(s1i, S7_2, s2i, MINUS_S7_3, s3i, MINUS_S7_1),
      );
      putPair(
        inverse, p3, w + 2 * TWIDDLE, p4, w + 3 * TWIDDLE,
        add(r0, weigh(t1r, C7_3, t2r, C7_1, t3r, C7_2)), add(i0, weigh(t1i, C7_3, t2i, C7_1, t3i, C7_2)),
        weigh(s1r, S7_3, s2r, MINUS_S7_1, s3r, S7_2), weigh(s1i, S7_3, s2i, MINUS_S7_1, s3i, S7_2),
      );
      w += 6 * TWIDDLE;
    }
    base += 6 * stride;
  }
}

export function forward7(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix7(false, base, stride, blocks, twiddles);
}

export function inverse7(base: usize, stride: usize, blocks: i32, twiddles: usize): void {
  radix7(true, base, stride, blocks, twiddles);
}
