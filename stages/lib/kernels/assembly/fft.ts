// Fast Fourier transforms of two independent complex signals at once, one per lane of an f64x2, so nothing is ever shuffled
// between lanes. Sizes: products of 2, 3, 5 and 7. In place: `forward` takes natural order and leaves frequency k at
// `data + orderOf(fft, k)`; `inverse` takes that order back to natural order, unscaled (size times the signal).
//
// Two real signals travel as the real and the imaginary part of one complex signal, so one call transforms four of them:
// `splitPair` gives the spectra of both, `joinPair` puts them together again. A filter with real coefficients and a copy of
// bins need neither: they act on both parts alike.
import {
  POINT, forward2, forward3, forward4, forward5, forward7, forwardLeaf4,
  inverse2, inverse3, inverse4, inverse5, inverse7, inverseLeaf4,
} from './fft-passes';

export {POINT};
export {allocate, release} from './memory';

/** Blocks of up to this many bytes go through all their passes before the next: half of a small first-level cache. */
const NEAR: usize = 16384;
const PASS: usize = 24;

/** A transform's size, passes and tables. Never freed by itself: `heap.reset()` drops all. */
@unmanaged
export class Fft {
  size: i32;
  passes: i32;
  /** Pass records: radix, stride in bytes, twiddles. */
  first: usize;
  /** Of each frequency, the offset of its point in bytes: i32. */
  order: usize;
}

/** Tables for `size` points. `size` must be a product of 2, 3, 5 and 7. */
export function createFft(size: i32): Fft {
  const fft = changetype<Fft>(heap.alloc(offsetof<Fft>()));
  fft.size = size;
  fft.passes = 0;
  fft.first = heap.alloc(32 * PASS);
  let rest = size;
  // Odd radices first, 4 last: its last pass needs no twiddles.
  for (; rest % 7 === 0; rest /= 7) addPass(fft, 7);
  for (; rest % 5 === 0; rest /= 5) addPass(fft, 5);
  for (; rest % 3 === 0; rest /= 3) addPass(fft, 3);
  if (ctz(rest) & 1) {
    addPass(fft, 2);
    rest >>= 1;
  }
  for (; rest % 4 === 0; rest >>= 2) addPass(fft, 4);
  assignTwiddles(fft);
  assignOrder(fft);
  return fft;
}

/** Where `forward` leaves frequency `k`, 0 ... size - 1, in bytes from the data's start. */
@inline
export function orderOf(fft: Fft, k: i32): usize {
  return <usize>load<u32>(fft.order + (<usize>k << 2));
}

export function forward(fft: Fft, data: usize): void {
  forwardFrom(fft, 0, data);
}

export function inverse(fft: Fft, data: usize): void {
  inverseFrom(fft, 0, data);
}

/**
 * From a transform of a + ib, with a and b real, writes the spectra of a and b for k = 0 ... size / 2 in natural order: 64
 * bytes a frequency, a then b.
 */
export function splitPair(fft: Fft, data: usize, spectra: usize): void {
  const half = f64x2.splat(0.5);
  const size = fft.size;
  for (let k = 0; k <= size >> 1; k++) {
    const z = data + orderOf(fft, k);
    const y = data + orderOf(fft, k === 0 ? 0 : size - k);
    const zr = f64x2.mul(v128.load(z), half);
    const zi = f64x2.mul(v128.load(z, 16), half);
    const yr = f64x2.mul(v128.load(y), half);
    const yi = f64x2.mul(v128.load(y, 16), half);
    v128.store(spectra, f64x2.add(zr, yr));
    v128.store(spectra, f64x2.sub(zi, yi), 16);
    v128.store(spectra, f64x2.add(zi, yi), 32);
    v128.store(spectra, f64x2.sub(yr, zr), 48);
    spectra += 64;
  }
}

/** The reverse of `splitPair`: what `inverse` turns into size * (a + ib). */
export function joinPair(fft: Fft, spectra: usize, data: usize): void {
  const size = fft.size;
  for (let k = 0; k <= size >> 1; k++) {
    const z = data + orderOf(fft, k);
    const y = data + orderOf(fft, k === 0 ? 0 : size - k);
    const ar = v128.load(spectra);
    const ai = v128.load(spectra, 16);
    const br = v128.load(spectra, 32);
    const bi = v128.load(spectra, 48);
    // At 0 and size / 2 both are the same point, and the imaginary parts are 0: the last store wins with the same value.
    v128.store(y, f64x2.add(ar, bi));
    v128.store(y, f64x2.sub(br, ai), 16);
    v128.store(z, f64x2.sub(ar, bi));
    v128.store(z, f64x2.add(ai, br), 16);
    spectra += 64;
  }
}

/** Real part of exp(-2 pi i k / n), the angle folded into an eighth of the circle first. */
export function rootRe(k: i32, n: i32): f64 {
  let eighths = 8 * <i64>(k % n);
  const full = 8 * <i64>n;
  if (2 * eighths > full) eighths = full - eighths;
  if (4 * eighths > full) return -rootReNear(full / 2 - eighths, full);
  return rootReNear(eighths, full);
}

/** Imaginary part of exp(-2 pi i k / n). */
export function rootIm(k: i32, n: i32): f64 {
  // -sin(x) = cos(x + pi / 2); in quarters of n, so that it stays whole.
  const full = 4 * <i64>n;
  let turned = (4 * <i64>(k % n) + <i64>n) % full;
  turned *= 2;
  const whole = 2 * full;
  if (2 * turned > whole) turned = whole - turned;
  if (4 * turned > whole) return -rootReNear(whole / 2 - turned, whole);
  return rootReNear(turned, whole);
}

/** cos(2 pi k / n) for 0 <= k <= n / 4. */
function rootReNear(k: i64, n: i64): f64 {
  if (8 * k > n) return Math.sin((2 * Math.PI * <f64>(n / 4 - k)) / <f64>n);
  return Math.cos((2 * Math.PI * <f64>k) / <f64>n);
}

function addPass(fft: Fft, radix: i32): void {
  store<i32>(fft.first + <usize>fft.passes * PASS, radix);
  fft.passes++;
}

function assignTwiddles(fft: Fft): void {
  let block = fft.size;
  for (let pass = 0; pass < fft.passes; pass++) {
    const record = fft.first + <usize>pass * PASS;
    const radix = load<i32>(record);
    const points = block / radix;
    const twiddles = heap.alloc(<usize>(points * (radix - 1)) * 16);
    store<usize>(record, <usize>points * POINT, 8);
    store<usize>(record, twiddles, 16);
    let at = twiddles;
    for (let j = 0; j < points; j++) {
      for (let q = 1; q < radix; q++) {
        store<f64>(at, rootRe(j * q, block));
        store<f64>(at, rootIm(j * q, block), 8);
        at += 16;
      }
    }
    block = points;
  }
}

function assignOrder(fft: Fft): void {
  const size = fft.size;
  fft.order = heap.alloc(<usize>size * 4);
  for (let k = 0; k < size; k++) {
    let rest = k;
    let offset: usize = 0;
    for (let pass = 0; pass < fft.passes; pass++) {
      const record = fft.first + <usize>pass * PASS;
      const radix = load<i32>(record);
      offset += <usize>(rest % radix) * load<usize>(record, 8);
      rest /= radix;
    }
    store<u32>(fft.order + (<usize>k << 2), <u32>offset);
  }
}

function forwardFrom(fft: Fft, pass: i32, base: usize): void {
  let record = fft.first + <usize>pass * PASS;
  if (pass >= fft.passes) return;
  const radix = load<i32>(record);
  const stride = load<usize>(record, 8);
  if (<usize>radix * stride > NEAR && pass + 1 < fft.passes) {
    forwardPass(record, base, 1);
    for (let q = 0; q < radix; q++) {
      forwardFrom(fft, pass + 1, base);
      base += stride;
    }
    return;
  }
  let blocks = 1;
  for (; pass < fft.passes; pass++) {
    forwardPass(record, base, blocks);
    blocks *= load<i32>(record);
    record += PASS;
  }
}

function inverseFrom(fft: Fft, pass: i32, base: usize): void {
  const record = fft.first + <usize>pass * PASS;
  if (pass >= fft.passes) return;
  const radix = load<i32>(record);
  const stride = load<usize>(record, 8);
  if (<usize>radix * stride > NEAR && pass + 1 < fft.passes) {
    for (let q = 0, at = base; q < radix; q++) {
      inverseFrom(fft, pass + 1, at);
      at += stride;
    }
    inversePass(record, base, 1);
    return;
  }
  const points = <i32>((<usize>radix * stride) / POINT);
  for (let last = fft.passes - 1; last >= pass; last--) {
    const at = fft.first + <usize>last * PASS;
    inversePass(at, base, points / (load<i32>(at) * <i32>(load<usize>(at, 8) / POINT)));
  }
}

function forwardPass(record: usize, base: usize, blocks: i32): void {
  const radix = load<i32>(record);
  const stride = load<usize>(record, 8);
  const twiddles = load<usize>(record, 16);
  if (radix === 4) {
    if (stride === POINT) forwardLeaf4(base, blocks);
    else forward4(base, stride, blocks, twiddles);
  } else if (radix === 2) forward2(base, stride, blocks, twiddles);
  else if (radix === 3) forward3(base, stride, blocks, twiddles);
  else if (radix === 5) forward5(base, stride, blocks, twiddles);
  else forward7(base, stride, blocks, twiddles);
}

function inversePass(record: usize, base: usize, blocks: i32): void {
  const radix = load<i32>(record);
  const stride = load<usize>(record, 8);
  const twiddles = load<usize>(record, 16);
  if (radix === 4) {
    if (stride === POINT) inverseLeaf4(base, blocks);
    else inverse4(base, stride, blocks, twiddles);
  } else if (radix === 2) inverse2(base, stride, blocks, twiddles);
  else if (radix === 3) inverse3(base, stride, blocks, twiddles);
  else if (radix === 5) inverse5(base, stride, blocks, twiddles);
  else inverse7(base, stride, blocks, twiddles);
}
