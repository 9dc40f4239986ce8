/** A line that only one side has. */
export interface DiffLine {
  readonly sign: '-' | '+';
  /** Of the old text for `-`; for `+`, where the line would stand in the new one. Counts from 1. */
  readonly line: number;
  readonly text: string;
}

/** Larger middles are shown as one replacement: the table of the comparison is their product. */
const mostCells = 1_000_000;

/** What differs between two texts, line by line: a shortest list of lines to take out and to put in. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < Math.min(before.length, after.length) - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail++;
  }
  const [old, now] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const common = old.length * now.length <= mostCells ? commonLines(old, now) : [];
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  for (const [a, b] of [...common, [old.length, now.length] as const]) {
    for (; i < a; i++) lines.push({sign: '-', line: head + i + 1, text: old[i] ?? ''});
    for (; j < b; j++) lines.push({sign: '+', line: head + j + 1, text: now[j] ?? ''});
    i++;
    j++;
  }
  return lines;
}

/** Positions of a longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const lengthAt = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
