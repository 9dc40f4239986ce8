// Element by element: functions, dropout, Adam, the cell of an LSTM. `count` is in values. The output may be an input.
import {exp4, put, take, tanh4} from './tensors-lanes';

export const EXP = 0;
export const TANH = 1;

/** `f`: EXP or TANH; see tensors-lanes.ts for their errors. */
export function apply(f: i32, x: usize, y: usize, count: i32): void {
  if (f === EXP) applyEach(EXP, x, y, count);
  else applyEach(TANH, x, y, count);
}

@inline
function applyEach(f: i32, x: usize, y: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) applyAt(f, x, y, <usize>i << 2, true);
  for (; i < count; i++) applyAt(f, x, y, <usize>i << 2, false);
}

@inline
function applyAt(f: i32, x: usize, y: usize, o: usize, whole: bool): void {
  const v = take(x + o, whole);
  put(y + o, f === EXP ? exp4(v) : tanh4(v), whole);
}

/** `mask[i]` = `keep` where word i of the stream is at least `threshold` (both signed), else 0. See counter-random.ts. */
export function dropoutMask(mask: usize, count: i32, threshold: i32, keep: f32, key0: i32, key1: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) put(mask + (<usize>i << 2), maskAt(i, threshold, keep, key0, key1), true);
  for (; i < count; i++) put(mask + (<usize>i << 2), maskAt(i, threshold, keep, key0, key1), false);
}

/** Of elements i ... i + 3. */
@inline
function maskAt(i: i32, threshold: i32, keep: f32, key0: i32, key1: i32): v128 {
  const index = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3));
  const inner = mix(i32x4.add(i32x4.mul(index, i32x4.splat(0x9e3779b9)), i32x4.splat(key0)));
  const word = mix(v128.xor(inner, i32x4.splat(key1)));
  return v128.and(i32x4.ge_s(word, i32x4.splat(threshold)), f32x4.splat(keep));
}

/** Wellons' lowbias32. */
@inline
function mix(z: v128): v128 {
  z = i32x4.mul(v128.xor(z, i32x4.shr_u(z, 16)), i32x4.splat(0x21f0aaad));
  z = i32x4.mul(v128.xor(z, i32x4.shr_u(z, 15)), i32x4.splat(0x735a2d97));
  return v128.xor(z, i32x4.shr_u(z, 15));
}

/**
 * One step of Adam, in place: running averages `first` of the gradient and `second` of its square, then the values. `rate`
 * has the correction for the first steps in it.
 */
export function adam(
  values: usize, gradient: usize, first: usize, second: usize, count: i32, rate: f32, beta1: f32, beta2: f32, epsilon: f32,
): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    adamAt(values, gradient, first, second, <usize>i << 2, rate, beta1, beta2, epsilon, true);
  }
  for (; i < count; i++) {
    adamAt(values, gradient, first, second, <usize>i << 2, rate, beta1, beta2, epsilon, false);
  }
}

@inline
function adamAt(
  values: usize, gradient: usize, first: usize, second: usize, o: usize,
  rate: f32, beta1: f32, beta2: f32, epsilon: f32, whole: bool,
): void {
  const g = take(gradient + o, whole);
  const m = f32x4.add(
    f32x4.mul(f32x4.splat(beta1), take(first + o, whole)),
    f32x4.mul(f32x4.splat(1 - beta1), g),
  );
  const v = f32x4.add(
    f32x4.mul(f32x4.splat(beta2), take(second + o, whole)),
    f32x4.mul(f32x4.mul(f32x4.splat(1 - beta2), g), g),
  );
  const step = f32x4.div(f32x4.mul(f32x4.splat(rate), m), f32x4.add(f32x4.sqrt(v), f32x4.splat(epsilon)));
  const value = f32x4.sub(take(values + o, whole), step);
  put(first + o, m, whole);
  put(second + o, v, whole);
  put(values + o, value, whole);
}
