import {StageError} from 'mixdown/stage';
import {readCsvTable} from '../formats/csv.ts';

/** The classes of AudioSet in the order of their indices. */
export interface AudioSetClasses {
  /** Such as `/m/09x0r`: what the segments tables name a class by. */
  readonly mids: readonly string[];
  /** Such as `Male speech, man speaking`. */
  readonly labels: readonly string[];
  /** Index of each mid. */
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Classes of the first release, which are those of the released features. */
export const AUDIOSET_CLASSES = 527;

/**
 * Reads class_labels_indices.csv as released: index,mid,display_name, 527 rows, index 0 ... 526 in order.
 * Throws StageError with the line for anything else.
 */
export function readAudioSetClasses(path: string): AudioSetClasses {
  const {rows} = readCsvTable(path, ['index', 'mid', 'display_name'], NAME);
  const indexOf = new Map<string, number>();
  const labels: string[] = [];
  for (const [i, {line, record}] of rows.entries()) {
    const {index = '', mid = '', display_name: label = ''} = record;
    if (index !== String(i)) throw new StageError(`${NAME}, line ${line}: index is \`${index}\`, not ${i}`);
    if (!/^\/[a-z]\/\w+$/.test(mid)) {
      throw new StageError(`${NAME}, line ${line}: mid is \`${mid}\`, not one such as /m/09x0r`);
    }
    if (indexOf.has(mid)) throw new StageError(`${NAME}, line ${line}: mid \`${mid}\` appears twice`);
    if (label === '') throw new StageError(`${NAME}, line ${line}: display_name is empty`);
    indexOf.set(mid, i);
    labels.push(label);
  }
  if (rows.length !== AUDIOSET_CLASSES) {
    throw new StageError(
      `${NAME} has ${rows.length} rows; the released features have ${AUDIOSET_CLASSES} classes`,
      'take class_labels_indices.csv from the AudioSet download page as it is',
    );
  }
  return {mids: [...indexOf.keys()], labels, indexOf};
}

const NAME = 'the classes table';
