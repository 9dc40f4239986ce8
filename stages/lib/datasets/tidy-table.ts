import type {CsvTable} from '../formats/csv.ts';

/**
 * A table as its writer meant it: without blanks at the ends of cells and column names, and with the `usual` column names in
 * lower case, and without rows of empty cells. ` Bark` and `Bark` would be two labels otherwise. Names in `kept` stay as they
 * are.
 */
export function tidyTable(
  {columns, rows}: CsvTable,
  usual: readonly string[] = [],
  kept: readonly string[] = [],
): CsvTable {
  const taken = new Set(columns);
  const tidied = columns.map((column) => {
    const trimmed = column.trim();
    const lower = trimmed.toLowerCase();
    const name = kept.includes(column) ? column : usual.includes(lower) ? lower : trimmed;
    // Two columns of one name would hide one of them.
    if (name === column || taken.has(name)) return column;
    taken.add(name);
    return name;
  });
  const tidyRows = rows.map(({line, record}) => ({
    line,
    record: Object.fromEntries(columns.map((column, i) => [tidied[i] ?? column, (record[column] ?? '').trim()])),
  }));
  return {columns: tidied, rows: tidyRows.filter(({record}) => Object.values(record).some((cell) => cell !== ''))};
}
