/**
 * P(|Z| >= z) of a standard normal Z, for z >= 0: the complementary error function of z / sqrt 2, Numerical Recipes' Chebyshev
 * fit, relative error below 1.2e-7.
 */
export function twoSidedNormal(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const fit = erfcFit.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return Math.min(1, t * Math.exp(-x * x + fit));
}

/** P(Z <= z). */
export function normalCdf(z: number): number {
  const tail = twoSidedNormal(Math.abs(z)) / 2;
  return z < 0 ? tail : 1 - tail;
}

/**
 * The z with P(Z <= z) = p, for 0 <= p <= 1, infinite at both ends: Wichura's PPND7, relative error about 1e-7 (algorithm AS 241,
 * Applied Statistics 37, 1988).
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(0.180625 - q * q, middle);
  const tail = Math.min(p, 1 - p);
  if (tail <= 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const z = r <= 5 ? ratio(r - 1.6, near) : ratio(r - 5, far);
  return q < 0 ? -z : z;
}

const erfcFit = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/** Coefficients above and below the line, from the constant on. */
type Ratio = readonly [above: readonly number[], below: readonly number[]];

const middle: Ratio = [
  [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
  [1, 17.895169469, 78.757757664, 67.1875636],
];
const near: Ratio = [
  [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103],
  [1, 0.7370016425, 0.12021132975],
];
const far: Ratio = [
  [6.657905115, 3.081226386, 0.42868294337, 0.017337203997],
  [1, 0.24197894225, 0.012258202635],
];

function ratio(x: number, [above, below]: Ratio): number {
  const at = (coefficients: readonly number[]): number => coefficients.reduceRight((sum, each) => sum * x + each, 0);
  return at(above) / at(below);
}
