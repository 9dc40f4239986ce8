import {readFileSync} from 'node:fs';
import {didYouMean, StageError} from 'mixdown/stage';
import {readCsv} from '../formats/csv.ts';
import {groupBy} from '../group-by.ts';
import {count, firstOf, type Problems} from '../problems.ts';
import {placeText, type LabelledFile} from './layout.ts';

const NAME = 'the vocabulary';

/**
 * Reads a list of labels: a csv file with a column `label` or `display_name`, such as AudioSet's class_labels_indices.csv, or
 * a text file of one label a line. Throws StageError when it is empty or names a label twice.
 */
export function readVocabulary(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const columns = (lines[0] ?? '').split(',').map((column) => column.replaceAll('"', ''));
  const column = COLUMNS.find((name) => columns.includes(name));
  const given =
    column === undefined
      ? lines.map((line) => line.trim()).filter((line) => line !== '')
      : readCsv(path, [column], NAME).map((record) => (record[column] ?? '').trim());
  const labels = given.map((label) => label.normalize('NFC'));
  if (labels.length === 0) throw new StageError(`${NAME} has no labels`);
  const repeated = labels.find((label, i) => labels.indexOf(label) !== i);
  if (repeated !== undefined) throw new StageError(`${NAME} has the label \`${repeated}\` twice`);
  return labels;
}

const COLUMNS = ['label', 'display_name'] as const;

/** Adds a problem for each label that the vocabulary lacks. */
export function checkLabels(files: readonly LabelledFile[], vocabulary: readonly string[], problems: Problems): void {
  const known = new Set(vocabulary);
  const unknown = groupBy(
    files.filter(({label, leftOut}) => label !== '' && leftOut === undefined && !known.has(label)),
    ({label}) => label,
  );
  for (const [label, uses] of unknown) {
    problems.add(`label \`${label}\` is not in ${NAME} (${placesText(uses)})`, didYouMean(label, vocabulary));
  }
}

/** `the labels table, lines 2, 4`. Labels off folders have no lines. */
function placesText(files: readonly LabelledFile[]): string {
  const tables = [...groupBy(files, ({place}) => place.table)].map(([table, own]) => {
    const lines = own.flatMap(({place}) => (place.line === 0 ? [] : [String(place.line)]));
    return lines.length === 0 ? table : `${table}, line${lines.length === 1 ? '' : 's'} ${firstOf(lines)}`;
  });
  return firstOf(tables);
}

/** Adds a problem for labels that differ in case only, which are a slip where no vocabulary has them both. */
export function checkCase(files: readonly LabelledFile[], problems: Problems): void {
  const labelled = files.filter(({label, leftOut}) => label !== '' && leftOut === undefined);
  const byLabel = groupBy(labelled, ({label}) => label);
  for (const [, spellings] of groupBy([...byLabel], ([label]) => label.toLowerCase())) {
    if (spellings.length < 2) continue;
    const named = spellings.map(([label, uses]) => {
      const [first] = uses;
      return `\`${label}\` (${count(uses.length, 'clip')}${first === undefined ? '' : `, ${placeText(first.place)}`})`;
    });
    problems.add(
      `labels ${named.join(' and ')} differ in case only`,
      'write them alike, or give the input `vocabulary` if they are different labels',
    );
  }
}
