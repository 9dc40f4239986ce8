import {StageError, type InputTree} from 'mixdown/stage';
import type {LabelsRow} from '../experiment/labels.ts';
import {count, firstOf, gatherProblems, type Problems} from '../problems.ts';
import {groupBy} from '../group-by.ts';
import {groupTwins} from './group-twins.ts';
import type {LabelledFile, Layout, LayoutOptions} from './layout.ts';
import {LAYOUTS, readTables, type LayoutName} from './layouts.ts';
import {matchClips, missingTexts, type MatchedClip, type Matches} from './match.ts';
import {checkCase, checkLabels, readVocabulary} from './vocabulary.ts';

export interface DatasetOptions extends LayoutOptions {
  readonly layout: LayoutName;
  readonly missing: 'fail' | 'skip';
  readonly unlabelled: 'fail' | 'skip';
  readonly duplicates: 'group' | 'fail' | 'ignore';
}

export interface DatasetInputs {
  readonly clips: InputTree;
  readonly labels: readonly string[];
  readonly vocabulary: string | undefined;
}

export interface Dataset {
  readonly rows: readonly LabelsRow[];
  readonly counts: Readonly<
    Record<'clips' | 'classes' | 'testClips' | 'missing' | 'leftOut' | 'unlabelled' | 'duplicates', number>
  >;
}

/** Labels of the clips. Throws a StageError of all that is wrong; what is left out without being wrong is logged. */
export function makeDataset(
  options: DatasetOptions,
  inputs: DatasetInputs,
  signal: AbortSignal,
  log: (text: string) => void,
): Dataset {
  const problems = gatherProblems('the dataset');
  const layout: Layout = LAYOUTS[options.layout];
  checkOptions(options);
  const vocabulary = inputs.vocabulary === undefined ? layout.vocabulary : readVocabulary(inputs.vocabulary);
  const files = readFiles(options, inputs, layout, problems).map(normalized);
  const matches = matchClips(files, inputs.clips, layout, problems);
  if (vocabulary === undefined) checkCase(files.flat(), problems);
  else checkLabels(files.flat(), vocabulary, problems);
  checkMatches(options, matches, inputs.clips, problems, log);
  problems.check();
  const clips = settleSplit(matches.clips, layout, log);
  const {clips: grouped, duplicates} =
    options.duplicates === 'ignore'
      ? {clips, duplicates: 0}
      : groupTwins(clips, options.duplicates, signal, problems, log);
  problems.check();
  logLeftOut(matches, log);
  logUnused(files.flat(), grouped, log);
  return {
    rows: grouped.map((clip) => ({...clip, fname: clip.file.path})),
    counts: {
      clips: grouped.length,
      classes: new Set(grouped.map(({label}) => label)).size,
      testClips: grouped.filter(({split}) => split === 'test').length,
      missing: matches.missing.length,
      leftOut: matches.leftOut.length,
      unlabelled: matches.unlabelled.length,
      duplicates,
    },
  };
}

/** A param of another layout would be without effect. */
function checkOptions(options: DatasetOptions): void {
  const {layout} = options;
  const idle = (param: keyof LayoutOptions, layouts: readonly LayoutName[]): void => {
    if (options[param] === NEUTRAL[param] || layouts.includes(layout)) return;
    throw new StageError(
      `the param ${param} is \`${options[param]}\`, which does nothing in layout ${layout}`,
      `it belongs to ${layouts.map((name) => `layout ${name}`).join(' and ')}`,
    );
  };
  idle('subset', options.subset === 'esc10' ? ['esc50'] : ['fsdkaggle2018']);
  idle('usage', ['fsdkaggle2018']);
  idle('firstFold', ['table', 'fsdkaggle2018']);
  for (const param of COLUMN_PARAMS) idle(param, ['table']);
}

const COLUMN_PARAMS = [
  'fileColumn',
  'labelColumn',
  'verifiedColumn',
  'splitColumn',
  'foldColumn',
  'groupColumn',
] as const;

const NEUTRAL: LayoutOptions = {
  subset: 'all',
  usage: 'both',
  fileColumn: '',
  labelColumn: '',
  verifiedColumn: '',
  splitColumn: '',
  foldColumn: '',
  groupColumn: '',
  firstFold: 1,
};

function readFiles(
  options: DatasetOptions,
  {clips, labels}: DatasetInputs,
  layout: Layout,
  problems: Problems,
): readonly (readonly LabelledFile[])[] {
  const needsTable = layout.headers(options).length > 0;
  if (labels.length > 0 && !needsTable) {
    throw new StageError(
      `layout ${options.layout} reads the labels off the folders, but there is a labels table`,
      'leave the input `labels` out, or use layout table',
    );
  }
  if (labels.length > 0) return readTables(options.layout, labels, options, problems);
  if (layout.readTree === undefined) {
    throw new StageError(`layout ${options.layout} needs a table`, 'bind the input `labels` to its csv file');
  }
  return [layout.readTree(clips, problems)];
}

/** Labels that look the same are the same: an accented letter can be written as one code point or as two. */
function normalized(files: readonly LabelledFile[]): readonly LabelledFile[] {
  return files.map((file) => ({...file, label: file.label.normalize('NFC')}));
}

function checkMatches(
  {missing: onMissing, unlabelled: onUnlabelled}: DatasetOptions,
  {clips, missing, unlabelled}: Matches,
  {entries}: InputTree,
  problems: Problems,
  log: (text: string) => void,
): void {
  if (clips.length === 0 && problems.count === 0) {
    const have = entries.length === 0 ? 'the folder is empty' : `it has ${firstOf(entries.slice(0, 3).map(quote))}`;
    throw new StageError(
      missing.length === 0
        ? `no file of the folder of clips has a label: ${have}`
        : `none of the ${missing.length} labelled files is in the folder of clips: ${have}, not \`${missing[0]?.names[0]}\``,
      'does the source of the clips name the right folder?',
    );
  }
  const hint = 'add the files, see that the include pattern of the source takes them, or set `missing: skip`';
  for (const text of missingTexts(missing)) {
    if (onMissing === 'fail') problems.add(text, hint);
    else log(`${text}: left out`);
  }
  // Where rows could not be read, files without a label say nothing.
  if (unlabelled.length === 0 || problems.count > 0) return;
  const text = `${count(unlabelled.length, 'file')} without a label: ${firstOf(unlabelled.map(quote))}`;
  if (onUnlabelled === 'skip') log(`${text}: left out`);
  else problems.add(text, 'label them, leave them out by the include pattern of the source, or set `unlabelled: skip`');
}

function quote({path}: {readonly path: string}): string {
  return `\`${path}\``;
}

function settleSplit(
  clips: readonly MatchedClip[],
  {splitNeedsTest}: Layout,
  log: (text: string) => void,
): readonly MatchedClip[] {
  const isOpen = ({split, fold}: MatchedClip): boolean => split === 'train' && fold === undefined;
  if (!splitNeedsTest || clips.some(({split}) => split === 'test') || !clips.some(isOpen)) return clips;
  log('no clip belongs to an official test set: test clips are left to be drawn');
  return clips.map((clip) => (isOpen(clip) ? {...clip, split: undefined} : clip));
}

function logLeftOut({leftOut}: Matches, log: (text: string) => void): void {
  for (const [reason, files] of groupBy(leftOut, (file) => file.leftOut ?? '')) {
    log(`${count(files.length, 'labelled file')} left out: ${reason}`);
  }
}

/** Labels whose every clip is missing: the classes of the experiment are fewer than the dataset's. */
function logUnused(files: readonly LabelledFile[], clips: readonly MatchedClip[], log: (text: string) => void): void {
  const used = new Set(clips.map(({label}) => label));
  const labels = new Set(files.filter(({leftOut}) => leftOut === undefined).map(({label}) => label));
  const unused = [...labels].filter((label) => !used.has(label));
  if (unused.length === 0) return;
  log(`${count(unused.length, 'label')} without a clip: ${firstOf(unused.map((label) => `\`${label}\``))}`);
}
