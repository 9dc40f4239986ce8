import {appendFile} from './append-file.ts';
import {encodeCsvRow} from './csv.ts';

/** Writes a table row by row, as `writeCsv` does at once. */
export interface CsvWriter {
  write(row: readonly (string | number)[]): void;
  close(): void;
}

/** Starts a table with its header. Whatever happens, it must be closed. */
export function csvWriter(path: string, columns: readonly string[]): CsvWriter {
  const file = appendFile(path);
  const write = (row: readonly (string | number)[]): void => {
    if (row.length !== columns.length) {
      throw new RangeError(`a csv row has ${row.length} fields, the header has ${columns.length}`);
    }
    file.append(Buffer.from(encodeCsvRow(row)));
  };
  write(columns);
  return {write, close: () => file.close()};
}
