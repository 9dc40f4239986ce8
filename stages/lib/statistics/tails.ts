import {incompleteBeta} from './incomplete-beta.ts';

/**
 * P(T > t) of Student's distribution with `freedom` degrees of freedom, above 0 and not only whole ones. Relative error
 * below 1e-12.
 */
export function studentTail(t: number, freedom: number): number {
  if (!(freedom > 0) || Number.isNaN(t)) return Number.NaN;
  if (t < 0) return 1 - studentTail(-t, freedom);
  if (t === Infinity) return 0;
  const ratio = (t * t) / freedom;
  const y = ratio === Infinity ? 1 : ratio / (1 + ratio);
  return incompleteBeta(freedom / 2, 0.5, 1 / (1 + ratio), y) / 2;
}

/** P(Z > z) of the standard normal distribution. Relative error below 1e-12. */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (density === 0) return 0;
  return z < 2 ? 0.5 - density * centralSum(z) : density * millsRatio(z);
}

/** z + z^3/3 + z^5/15 + ...: the area from 0 to z over the density at z. */
function centralSum(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; term > sum * Number.EPSILON; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

/** The tail over the density, by Laplace's continued fraction 1/(z + 1/(z + 2/(z + ...))), from the far end. */
function millsRatio(z: number): number {
  let rest = z;
  for (let k = FRACTION_TERMS; k >= 1; k--) rest = z + k / rest;
  return 1 / rest;
}

/** Full precision for z from 2 up. */
const FRACTION_TERMS = 200;
