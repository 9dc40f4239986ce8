/** A straight map from numbers to pixels, and where its axis has ticks. */
export interface Scale {
  readonly ticks: readonly Tick[];
  at(this: void, value: number): number;
}

export interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * A scale whose ends are ticks: 1, 2 or 5 times a power of ten apart, `most` gaps or fewer. A span of one value gets room on
 * both sides. `whole` keeps ticks at whole numbers; `nice: false` keeps the ends of the span and has ticks inside it only.
 */
export function makeScale(
  {low, high}: Span,
  [from, to]: readonly [number, number],
  most: number,
  {whole = false, nice = true}: {readonly whole?: boolean; readonly nice?: boolean} = {},
): Scale {
  const pad = low < high ? 0 : Math.max(whole ? 1 : 0, Math.abs(low) * 0.1) || 1;
  const [start, end] = [low - pad, high + pad];
  const step = niceStep((end - start) / most, whole);
  // A quotient such as 0.3 / 0.1 lies next to its whole number.
  const near = 1e-9;
  const first = nice ? Math.floor(start / step + near) : Math.ceil(start / step - near);
  const last = nice ? Math.ceil(end / step - near) : Math.floor(end / step + near);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + near));
  const ticks = Array.from({length: last - first + 1}, (_, i): Tick => {
    const value = (first + i) * step;
    return {value, text: tickText(value, decimals)};
  });
  const bottom = nice ? first * step : start;
  const top = nice ? last * step : end;
  return {ticks, at: (value) => from + ((value - bottom) / (top - bottom)) * (to - from)};
}

/** Undefined for no values. */
export function spanOf(values: readonly number[]): Span | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? {low, high} : undefined;
}

/** The smallest of 1, 2 and 5 times a power of ten that is `least` or more. */
function niceStep(least: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return whole ? Math.max(1, factor * power) : factor * power;
}

/** Large numbers with a letter, small ones with an exponent. */
function tickText(value: number, decimals: number): string {
  if (value === 0) return '0';
  if (decimals > 6) return value.toExponential(1).replace('.0e', 'e');
  if (decimals > 0) return value.toFixed(decimals);
  if (Math.abs(value) >= 1e15) return value.toExponential(1).replace('.0e', 'e').replace('+', '');
  for (const [unit, letter] of UNITS) {
    // Kept as they are where the letter would need decimals.
    if (Math.abs(value) >= 10 * unit || (Math.abs(value) >= unit && value % unit === 0)) {
      if ((value / unit) * 10 === Math.round((value / unit) * 10)) return `${value / unit}${letter}`;
    }
  }
  return String(value);
}

const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;
