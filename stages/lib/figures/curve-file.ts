import {StageError} from 'mixdown/stage';
import {readCsvTable} from '../formats/csv.ts';

/** Numbers over a count or a setting, such as what a training said of itself over its course. */
export interface Curve {
  readonly name: string;
  /** Its points are shown. */
  readonly dots?: true;
  /** What x counts, such as `epoch`. */
  readonly unit: string;
  readonly x: readonly number[];
  /** By column, each as long as x; undefined where the cell is empty. */
  readonly columns: ReadonlyMap<string, readonly (number | undefined)[]>;
}

/**
 * Reads a curve.csv: the first column counts epochs or iterations upwards, each other column is a number that was measured
 * then, or empty. Throws StageError with the line of what is no finite number.
 */
export function readCurve(path: string, name: string): Curve {
  const where = `the curve \`${name}\``;
  const {columns, rows} = readCsvTable(path, [], where);
  const [unit = '', ...measured] = columns;
  if (measured.length === 0)
    throw new StageError(`${where} has one column; one to count by and one or more are needed`);
  const numbers = rows.map(({line, record}) =>
    columns.map((column) => {
      const text = (record[column] ?? '').trim();
      const value = text === '' ? undefined : Number(text);
      if (value === undefined ? column === unit : !Number.isFinite(value)) {
        throw new StageError(`${where}, line ${line}: ${column} is \`${text}\`; a number is needed`);
      }
      return value;
    }),
  );
  const x = numbers.map((row) => row[0] as number);
  const back = x.findIndex((value, i) => i > 0 && value <= (x[i - 1] as number));
  if (back > 0) {
    throw new StageError(`${where}, line ${rows[back]?.line}: ${unit} ${x[back]} does not come after ${x[back - 1]}`);
  }
  return {name, unit, x, columns: new Map(measured.map((column, i) => [column, numbers.map((row) => row[i + 1])]))};
}
