/** The largest absolute sample, NaN when one is not finite, 0 for no samples. */
export function peakOf(samples: Float64Array): number {
  let peak = 0;
  let rest = 0;
  for (let i = 0; i < samples.length; i++) {
    const size = Math.abs(samples[i] as number);
    if (size > peak) peak = size;
    // 0, but NaN for what is not finite.
    rest += size - size;
  }
  return peak + rest;
}

/** Divides by the largest absolute sample, in place, unless that is below the smallest normal float32. */
export function normalizePeak(samples: Float64Array): void {
  const peak = peakOf(samples);
  if (peak < 2 ** -126) return;
  for (let i = 0; i < samples.length; i++) samples[i]! /= peak;
}
