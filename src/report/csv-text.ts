/** The records of a CSV text (RFC 4180; quoted fields may hold commas, quotes and line breaks) as far as they are wanted. */
export interface CsvText {
  readonly columns: readonly string[];
  /** Each as long as `columns`: what is missing is empty, and what is too much is left out. */
  readonly rows: readonly (readonly string[])[];
  /** Rows beyond those that were wanted. */
  readonly more: number;
}

/**
 * Reads a CSV text with a line of column names. Empty lines are passed over. Undefined when it has no columns.
 *
 * @param mostRows - rows to keep
 */
export function parseCsv(text: string, mostRows: number): CsvText | undefined {
  let columns: readonly string[] | undefined;
  const rows: string[][] = [];
  let more = 0;
  for (const record of records(text.startsWith('\uFEFF') ? text.slice(1) : text)) {
    if (record.length === 1 && record[0] === '') continue;
    if (columns === undefined) columns = record;
    else if (rows.length < mostRows) rows.push(columns.map((_, index) => record[index] ?? ''));
    else more++;
  }
  return columns && {columns, rows, more};
}

function* records(text: string): Generator<string[]> {
  const field = /"((?:[^"]|"")*)"?|([^,\r\n]*)/y;
  let record: string[] = [];
  for (let at = 0; at <= text.length;) {
    field.lastIndex = at;
    const [whole = '', quoted, plain = ''] = field.exec(text) ?? [];
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    const next = text[at];
    if (next === ',') {
      at++;
      continue;
    }
    // What follows a closing quote belongs to no field.
    while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
    yield record;
    record = [];
    at += text.startsWith('\r\n', at) ? 2 : 1;
    if (at === text.length) return;
  }
}
