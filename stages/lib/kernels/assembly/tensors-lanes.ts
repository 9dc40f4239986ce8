// Four float32 lanes: how the last values of a row go through the code of the others, and functions with stated errors.

/** Four values; with `whole` false, one value in all lanes. */
@inline
export function take(from: usize, whole: bool): v128 {
  return whole ? v128.load(from) : v128.load32_splat(from);
}

/** Writes four values; with `whole` false, the first of them. */
@inline
export function put(to: usize, values: v128, whole: bool): void {
  if (whole) v128.store(to, values);
  else v128.store32_lane(to, values, 0);
}

/**
 * e^x, 2 units in the last place; infinity above 88.72, subnormal numbers and then 0 below -87.33. The power of two goes in
 * by halves, as it may lie outside the range of the exponents.
 */
@inline
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-104)), f32x4.splat(89));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  const power = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(power, 1);
  return f32x4.mul(f32x4.mul(expOfRest(x, n), powerOfTwo(half)), powerOfTwo(i32x4.sub(power, half)));
}

/** 1 / (1 + e^-x), 3 units in the last place; below -87 it stays what it is there, 2e-38. */
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  const y = f32x4.neg(f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(87)));
  const n = f32x4.nearest(f32x4.mul(y, f32x4.splat(1.44269504)));
  const power = powerOfTwo(i32x4.trunc_sat_f32x4_s(n));
  return f32x4.div(one, f32x4.add(one, f32x4.mul(expOfRest(y, n), power)));
}

/** e^(x - n ln 2) for x within ln 2 / 2 of n ln 2. Reduction and polynomial as in Cephes' expf. */
@inline
function expOfRest(x: v128, n: v128): v128 {
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  let p = f32x4.splat(1.987569150e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  return f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), f32x4.splat(1));
}

/**
 * tanh x, 5 units in the last place. A quotient of polynomials of degree 13 and 6, the one of Eigen and of onnxruntime; beyond
 * 7.905 it stays what it is there.
 */
@inline
export function tanh4(x: v128): v128 {
  const limit = f32x4.splat(7.90531110763549805);
  x = f32x4.min(f32x4.max(x, f32x4.neg(limit)), limit);
  const q = f32x4.mul(x, x);
  let p = f32x4.splat(-2.76076847742355e-16);
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.00018790482477e-13));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(-8.60467152213735e-11));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(5.12229709037114e-8));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(1.48572235717979e-5));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(6.37261928875436e-4));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(4.89352455891786e-3));
  let d = f32x4.splat(1.19825839466702e-6);
  d = f32x4.add(f32x4.mul(d, q), f32x4.splat(1.18534705686654e-4));
  d = f32x4.add(f32x4.mul(d, q), f32x4.splat(2.2684346324390e-3));
  d = f32x4.add(f32x4.mul(d, q), f32x4.splat(4.89352518554385e-3));
  return f32x4.div(f32x4.mul(p, x), d);
}

/** 2^n for n from -126 to 127, by its bits. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}
