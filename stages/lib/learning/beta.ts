import type {Rng} from '../rng.ts';

/** A draw from the Beta(a, a) distribution, a > 0, as the ratio of Gamma draws: a float64 above 0 and below 1. */
export function drawBeta(rng: Rng, a: number): number {
  for (;;) {
    const x = drawGamma(rng, a);
    const total = x + drawGamma(rng, a);
    // Both draws may underflow to zero for a tiny a. One of them often is so small that the ratio rounds to 0 or 1; to draw
    // anew would make values near the ends too rare.
    if (total > 0) return Math.min(LARGEST, Math.max(Number.MIN_VALUE, x / total));
  }
}

/** The float64 before 1. */
const LARGEST = 1 - 2 ** -53;

/** A draw from the Gamma distribution of shape a > 0 and scale 1. Source: Marsaglia and Tsang 2000. */
function drawGamma(rng: Rng, a: number): number {
  if (a < 1) return drawGamma(rng, a + 1) * (1 - rng.uniform()) ** (1 / a);
  const d = a - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
