/** What a cell is sorted by; null where it is empty. */
export type CellKey = string | number | null;

export type Direction = 'ascending' | 'descending';

/** The number that a cell's text shows: `0.61`, `61 %`, `0.61 ± 0.02`; undefined for any other text. */
export function numberOf(text: string): number | undefined {
  const match = /^\s*[*_]*([+\-−]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)[*_]*\s*(?:%|±.*|\(.*\))?[*_]*\s*$/i.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1].replace('−', '-'));
}

/** The key of a cell of text: its number when it shows one. */
export function keyOf(text: string): CellKey {
  return text.trim() === '' ? null : (numberOf(text) ?? text);
}

/** Rows in order of their keys, equal ones as they were; empty cells come last in both directions. */
export function sortRows<Row>(rows: readonly Row[], key: (row: Row) => CellKey, direction: Direction): readonly Row[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const keyed = rows.map((row) => ({row, key: emptyAsNull(key(row))}));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    return sign * compareKeys(a.key, b.key);
  });
  return keyed.map(({row}) => row);
}

function emptyAsNull(key: CellKey): CellKey {
  return key === '' || (typeof key === 'number' && Number.isNaN(key)) ? null : key;
}

/** Numbers before text; text with the numbers in it in order of their size. */
function compareKeys(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return collator.compare(String(a), String(b));
}

const collator = new Intl.Collator('en', {numeric: true});
