const SQRT_HALF_BITS: i64 = 0x3fe6a09e667f3bcd;
/** Puts the exponent of numbers in sqrt(1/2) ... sqrt(2) at 1023. */
const BIASED_ONE: i64 = 0x3ff0000000000000;
const LN2_HIGH = 6.93147180369123816490e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const L1 = 6.666666666666735130e-1;
const L2 = 3.999999999940941908e-1;
const L3 = 2.857142874366239149e-1;
const L4 = 2.222219843214978396e-1;
const L5 = 1.818357216161805012e-1;
const L6 = 1.531383769920937332e-1;
const L7 = 1.479819860511658591e-1;

/** Replaces `count` numbers, f64 and an even count, by their natural logarithms: see `logarithm`. */
export function logarithms(values: usize, count: i32): void {
  for (const end = values + (<usize>count << 3); values < end; values += 16) {
    v128.store(values, logarithm(v128.load(values)));
  }
}

/**
 * Both lanes within 1 unit of the last place, for numbers from 2^-1022 on; infinity and NaN give NaN.
 * x = 2^k (1 + f) with 1 + f in sqrt(1/2) ... sqrt(2); log(1 + f) by the odd series of s = f / (2 + f).
 * Source: FreeBSD's e_log.c (fdlibm), its polynomial and its split of ln 2.
 */
@inline
function logarithm(x: v128): v128 {
  // Moves the bits so that the exponent field counts from sqrt(1/2): below it the mantissa belongs to the next power.
  const shifted = i64x2.sub(x, i64x2.splat(SQRT_HALF_BITS));
  const power = i64x2.shr_u(i64x2.add(shifted, i64x2.splat(BIASED_ONE)), 52);
  const mantissa = i64x2.sub(x, i64x2.shl(i64x2.sub(power, i64x2.splat(1023)), 52));
  // 2^52 + power as bits, less 2^52 + 1023 as a number.
  const k = f64x2.sub(v128.or(power, i64x2.splat(0x4330000000000000)), f64x2.splat(4503599627370496 + 1023));
  const f = f64x2.sub(mantissa, f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2)));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  let even = term(w, f64x2.splat(L6), L4);
  even = f64x2.mul(w, term(w, even, L2));
  let odd = term(w, f64x2.splat(L7), L5);
  odd = term(w, odd, L3);
  odd = f64x2.mul(z, term(w, odd, L1));
  const halfSquare = f64x2.mul(f64x2.mul(f, f), f64x2.splat(0.5));
  const tail = f64x2.add(
    f64x2.mul(s, f64x2.add(halfSquare, f64x2.add(even, odd))),
    f64x2.mul(k, f64x2.splat(LN2_LOW)),
  );
  const log = f64x2.sub(f64x2.mul(k, f64x2.splat(LN2_HIGH)), f64x2.sub(f64x2.sub(halfSquare, tail), f));
  // x - x is 0, or NaN for what is no finite number.
  return f64x2.add(log, f64x2.sub(x, x));
}

@inline
function term(w: v128, sum: v128, next: f64): v128 {
  return f64x2.add(f64x2.splat(next), f64x2.mul(w, sum));
}
