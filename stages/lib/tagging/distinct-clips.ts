import {StageError} from 'mixdown/stage';
import {IdIndex} from '../audioset/id-index.ts';
import {readLines} from '../formats/lines.ts';
import {count} from '../problems.ts';

/** Clips that may train. */
export interface DistinctClips {
  /** Their rows, counted through over the tables, rising. */
  readonly rows: Int32Array;
  /** Clips left out, since they are scored too, and since they came before. */
  readonly scored: number;
  readonly repeated: number;
}

/**
 * Leaves out clips whose video is to be scored, which would make the scores worthless, or came before: of two equal clips one
 * could be held out and the other train. `tables` are csv files with a column video_id and no quotes, a row for each of `counts`
 * clips; they are read in steps. Throws StageError when they are not.
 */
export function distinctClips(
  tables: readonly string[],
  counts: readonly number[],
  scored: Iterable<string>,
): DistinctClips {
  if (tables.length !== counts.length) {
    throw new StageError(
      `there are ${count(counts.length, 'array')} of features and ${tables.length} tables of clips`,
      'give the outputs `features` and `clips` of the same audioset-features nodes',
    );
  }
  const known = new IdIndex();
  for (const id of scored) known.add(id);
  const toScore = known.size;
  const rows = new Int32Array(counts.reduce((sum, own) => sum + own, 0));
  let used = 0;
  let row = 0;
  const leftOut = {scored: 0, repeated: 0};
  for (const [i, path] of tables.entries()) {
    const before = row;
    for (const id of readIds(path, `clips ${i + 1} of the training clips`)) {
      if (known.add(id)) rows[used++] = row;
      else leftOut[known.find(id) < toScore ? 'scored' : 'repeated']++;
      row++;
    }
    if (row - before === counts[i]) continue;
    throw new StageError(
      `clips ${i + 1} of the training clips have ${count(row - before, 'row')}, and their features ${counts[i]}`,
      'give the outputs `features` and `clips` of the same audioset-features nodes',
    );
  }
  return {rows: rows.subarray(0, used), ...leftOut};
}

function* readIds(path: string, name: string): Generator<string, void> {
  let columns: readonly string[] | undefined;
  let at = -1;
  let line = 0;
  for (const text of readLines(path, name)) {
    line++;
    if (text === '') continue;
    const fields = text.split(',');
    if (columns === undefined) {
      columns = fields;
      at = columns.indexOf('video_id');
      if (at < 0) throw new StageError(`${name}, line ${line}: no column \`video_id\``);
      continue;
    }
    if (fields.length !== columns.length) {
      throw new StageError(`${name}, line ${line}: ${count(fields.length, 'field')}, the header has ${columns.length}`);
    }
    yield fields[at] as string;
  }
}
