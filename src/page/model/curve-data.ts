import type {PageColumn} from '../../report/page-data.ts';

/** Values as they can be drawn: a logarithmic axis has no place for what is not above zero. */
export function drawable(values: PageColumn['values'], logarithmic: boolean): readonly (number | null)[] {
  return values.map((value) =>
    value === null || !Number.isFinite(value) || (logarithmic && value <= 0) ? null : value,
  );
}

/** Whether a logarithmic axis would show anything. */
export function hasPositive(lines: readonly PageColumn[]): boolean {
  return lines.some(({values}) => values.some((value) => value !== null && value > 0));
}

/** What the lines show, in words: where each starts and ends, and its extremes. */
export function curveSummary(x: PageColumn, lines: readonly PageColumn[], number: (value: number) => string): string {
  return lines
    .map(({name, values}) => {
      const known = values.flatMap((value, at) => (value === null ? [] : [{value, at: x.values[at] ?? null}]));
      const first = known[0];
      const last = known.at(-1);
      if (first === undefined || last === undefined) return `${name}: no values`;
      const low = known.reduce((least, point) => (point.value < least.value ? point : least), first);
      const where = low.at === null ? '' : ` at ${x.name} ${number(low.at)}`;
      return `${name}: from ${number(first.value)} to ${number(last.value)}, lowest ${number(low.value)}${where}`;
    })
    .join('; ');
}

/** Whether a line only counts, as epochs over iterations do: whole numbers that never fall. It tells nothing as a curve. */
function isCounter({values}: PageColumn): boolean {
  let last = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    if (!Number.isInteger(value) || value < last) return false;
    last = value;
  }
  return true;
}

/** Which lines are drawn before the reader chooses: all but counters, unless there is nothing else. */
export function drawnFirst(lines: readonly PageColumn[]): readonly boolean[] {
  const drawn = lines.map((line) => !isCounter(line));
  return drawn.includes(true) ? drawn : lines.map(() => true);
}
