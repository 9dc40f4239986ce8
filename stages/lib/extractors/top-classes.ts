import {StageError} from 'mixdown/stage';
import {readCsvTable} from '../formats/csv.ts';

/** Names of `count` classes from a csv with the columns index and display_name. Throws StageError when one is missing. */
export function readClassMap(path: string, count: number): readonly string[] {
  const names = new Array<string | undefined>(count).fill(undefined);
  for (const {line, record} of readCsvTable(path, ['index', 'display_name'], 'the class map').rows) {
    const {index = '', display_name: name = ''} = record;
    const place = /^\d+$/.test(index) ? Number(index) : count;
    if (place >= count || names[place] !== undefined) {
      throw new StageError(
        `the class map, line ${line}: index \`${index}\`; 0 to ${count - 1}, each once, is expected`,
      );
    }
    names[place] = name;
  }
  return names.map((name, i) => {
    if (name === undefined) throw new StageError(`the class map has no class ${i}; ${count} are expected`);
    return name;
  });
}

/** Means of scores over rows that come in parts. */
export interface ScoreMeans {
  readonly rows: number;
  add(this: void, rows: Float32Array): void;
  /** Of each class; NaN without rows. */
  values(): Float64Array;
}

export function scoreMeans(classes: number): ScoreMeans {
  const sums = new Float64Array(classes);
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(part) {
      for (const [i, score] of part.entries()) sums[i % classes] = (sums[i % classes] as number) + score;
      rows += part.length / classes;
    },
    values: () => sums.map((sum) => sum / rows),
  };
}

/** The highest scores with their classes, as one line; of equal ones the first. */
export function topClasses(names: readonly string[], scores: Float64Array, count: number): string {
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return order
    .slice(0, count)
    .map((i) => `${names[i]} ${(scores[i] as number).toFixed(3)}`)
    .join(', ');
}
