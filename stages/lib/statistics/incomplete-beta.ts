/**
 * The regularised incomplete beta function I_x(a, b), for a, b > 0. `y` is 1 - x, given apart because it cannot be had
 * from an x near 1 without loss. Relative error about 1e-12 down to the smallest normal values; NaN for what is
 * outside.
 * Source: DiDonato and Morris, algorithm 708, ACM TOMS 18 (1992): the continued fraction.
 */
export function incompleteBeta(a: number, b: number, x: number, y: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && y >= 0)) return Number.NaN;
  if (x === 0) return 0;
  if (y === 0) return 1;
  // Beyond the mean the fraction converges slowly, and that of the other end quickly.
  const isLower = x <= (a + 1) / (a + b + 2);
  const front = Math.exp(a * logOf(x, y) + b * logOf(y, x) - logBeta(a, b));
  return isLower ? front / continuedFraction(a, b, x, y) : 1 - front / continuedFraction(b, a, y, x);
}

/** Logarithm of the beta function of a, b > 0, without the cancellation of three large log-gammas. */
export function logBeta(a: number, b: number): number {
  const [large, small] = a >= b ? [a, b] : [b, a];
  if (large < ASYMPTOTIC) return logGamma(large) + logGamma(small) - logGamma(large + small);
  const sum = large + small;
  return (
    logGamma(small) -
    (large - 0.5) * Math.log1p(small / large) -
    small * Math.log(sum) +
    small +
    (stirlingRest(large) - stirlingRest(sum))
  );
}

/** ln p for p + q = 1, from whichever is exact. */
function logOf(p: number, q: number): number {
  return q < 0.5 ? Math.log1p(-q) : Math.log(p);
}

/**
 * The even part of the well-known fraction: its terms see how far x is from 1 through y, where those of the whole one
 * lose it. By Lentz's method, modified.
 */
function continuedFraction(a: number, b: number, x: number, y: number): number {
  let value = awayFromZero((a * (a * y - b * x + 1)) / (a + 1));
  let c = value;
  let d = 0;
  for (let m = 1; m <= MOST_TERMS; m++) {
    const top = ((a + m - 1) * (a + b + m - 1) * m * (b - m) * x * x) / (a + 2 * m - 1) ** 2;
    const bottom =
      m + (m * (b - m) * x) / (a + 2 * m - 1) + ((a + m) * (a * y - b * x + 1 + m * (1 + y))) / (a + 2 * m + 1);
    d = 1 / awayFromZero(bottom + top * d);
    c = awayFromZero(bottom + top / c);
    const step = c * d;
    value *= step;
    if (Math.abs(step - 1) < Number.EPSILON) break;
  }
  return value;
}

/** About sqrt(max(a, b)) terms are needed: enough for 10^8 degrees of freedom. */
const MOST_TERMS = 100_000;

function awayFromZero(value: number): number {
  return Math.abs(value) < SMALLEST ? SMALLEST : value;
}

const SMALLEST = 1e-300;

/** ln Gamma(z) for z > 0, by Stirling's series where it holds to full precision, and by the recurrence below. */
function logGamma(z: number): number {
  let product = 1;
  let shifted = z;
  while (shifted < ASYMPTOTIC) product *= shifted++;
  return (shifted - 0.5) * Math.log(shifted) - shifted + HALF_LOG_TWO_PI + stirlingRest(shifted) - Math.log(product);
}

/** What Stirling's formula lacks: the sum of B_2k / (2k (2k - 1) z^(2k - 1)). */
function stirlingRest(z: number): number {
  const square = 1 / (z * z);
  let sum = 0;
  for (const coefficient of STIRLING) sum = sum * square + coefficient;
  return sum / z;
}

const ASYMPTOTIC = 12;
const HALF_LOG_TWO_PI = 0.9189385332046728;
/** From the highest power down. */
const STIRLING = [1 / 156, -691 / 360_360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12];
