/** Round moments from 0 to an end, about as many as asked for, all a step of 1, 2 or 5 of a unit apart. In ms. */
export function timeTicks(endMs: number, about: number): readonly number[] {
  if (!(endMs > 0)) return [0];
  const step = STEPS.find((candidate) => endMs / candidate <= about) ?? endMs;
  return Array.from({length: Math.floor(endMs / step) + 1}, (_, at) => at * step);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2, 4, 8, 12, 24, 48, 96].map((count) => count * HOUR),
];
