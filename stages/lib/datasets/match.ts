import type {InputTree, TreeFile} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';
import {count, firstOf, type Problems} from '../problems.ts';
import {clipFinder} from './clip-files.ts';
import {placeText, type LabelledFile, type Layout} from './layout.ts';

/** A labelled file of the dataset and the file of the clips folder that it is. */
export interface MatchedClip extends LabelledFile {
  readonly file: TreeFile;
}

export interface Matches {
  readonly clips: readonly MatchedClip[];
  /** Labelled, but not in the folder; files that are left out anyway are not counted. */
  readonly missing: readonly LabelledFile[];
  /** Left out though the dataset has them, with or without a file in the folder. */
  readonly leftOut: readonly LabelledFile[];
  /** In the folder, but not in the dataset. */
  readonly unlabelled: readonly TreeFile[];
}

/**
 * Joins the rows of all tables and finds their files. Adds to the problems: a file named twice, a name that fits several
 * files, files that differ only in their extension, which later stages could not tell apart.
 */
export function matchClips(
  tables: readonly (readonly LabelledFile[])[],
  tree: InputTree,
  layout: Layout,
  problems: Problems,
): Matches {
  const find = clipFinder(tree, layout.anyExtension);
  const clips: MatchedClip[] = [];
  const missing: LabelledFile[] = [];
  const leftOut: LabelledFile[] = [];
  const ownerOf = new Map<string, LabelledFile>();
  for (const file of joinTables(tables, layout, problems)) {
    const found = find(file.names);
    if (file.leftOut !== undefined) {
      leftOut.push(file);
      if (found.kind === 'found') ownerOf.set(found.file.path, file);
      continue;
    }
    if (found.kind === 'missing') {
      missing.push(file);
      continue;
    }
    const name = `${placeText(file.place)}: \`${file.names[0]}\``;
    if (found.kind === 'ambiguous') {
      problems.add(`${name} may be any of ${found.paths.map((path) => `\`${path}\``).join(', ')}`, 'write the path');
      for (const path of found.paths) ownerOf.set(path, file);
      continue;
    }
    const owner = ownerOf.get(found.file.path);
    ownerOf.set(found.file.path, file);
    const contradiction = layout.contradiction?.(file, found.file.path);
    if (owner !== undefined) {
      problems.add(
        `${name} is the file \`${found.file.path}\`, as is \`${owner.names[0]}\` (${placeText(owner.place)})`,
      );
    } else if (contradiction !== undefined) problems.add(`${name} ${contradiction}`);
    else clips.push({...file, file: found.file});
  }
  checkKeys(clips, tree, problems);
  return {clips, missing, leftOut, unlabelled: tree.entries.filter(({path}) => !ownerOf.has(path))};
}

/** `the labels table names 2 files that the clips lack: ...`, a text a table. */
export function missingTexts(missing: readonly LabelledFile[]): readonly string[] {
  return [...groupBy(missing, ({place}) => place.table)].map(
    ([table, files]) =>
      `${table} names ${count(files.length, 'file')} that the clips lack: ` +
      firstOf(files.map(({names, place}) => `\`${names[0]}\` (line ${place.line})`)),
  );
}

/** A name may stand in two tables that overlap, if they agree. */
function joinTables(
  tables: readonly (readonly LabelledFile[])[],
  {tablesOverlap}: Layout,
  problems: Problems,
): Iterable<LabelledFile> {
  const byName = new Map<string, LabelledFile>();
  for (const table of tables) {
    const own = new Map<string, LabelledFile>();
    for (const file of table) {
      const [name = ''] = file.names;
      if (name === '') continue;
      const twice = own.get(name);
      const elsewhere = byName.get(name);
      own.set(name, file);
      const difference = elsewhere === undefined || !tablesOverlap ? undefined : differenceOf(elsewhere, file);
      if (twice !== undefined) {
        problems.add(`${placeText(file.place)}: \`${name}\` is on line ${twice.place.line} already`);
      } else if (elsewhere === undefined) byName.set(name, file);
      else if (!tablesOverlap) {
        problems.add(`${placeText(file.place)}: \`${name}\` is on ${placeText(elsewhere.place)} already`);
      } else if (difference === undefined) byName.set(name, joined(elsewhere, file));
      else problems.add(`${placeText(file.place)}: \`${name}\` ${difference} on ${placeText(elsewhere.place)}`);
    }
  }
  return byName.values();
}

function joined(first: LabelledFile, second: LabelledFile): LabelledFile {
  return {...first, group: first.group || second.group, fold: first.fold ?? second.fold};
}

function differenceOf(before: LabelledFile, file: LabelledFile): string | undefined {
  if (file.label !== before.label) return `is \`${file.label}\`, but \`${before.label}\``;
  if (roleOf(file) !== roleOf(before)) return `is ${roleOf(file)}, but ${roleOf(before)}`;
  const differ = <T>(a: T, b: T, none: T): boolean => a !== b && a !== none && b !== none;
  if (differ(file.fold, before.fold, undefined)) return `is in fold ${file.fold}, but in fold ${before.fold}`;
  if (differ(file.group, before.group, '')) return `is of recording \`${file.group}\`, but of \`${before.group}\``;
  return undefined;
}

function roleOf({leftOut, split, verified}: LabelledFile): string {
  return leftOut ?? `a ${verified ? 'verified' : 'not verified'} ${split} clip`;
}

function checkKeys(clips: readonly MatchedClip[], {entries}: InputTree, problems: Problems): void {
  const used = new Set(clips.map(({file}) => file.key));
  for (const [key, files] of groupBy(entries, (entry) => entry.key)) {
    if (files.length < 2 || !used.has(key)) continue;
    problems.add(
      `clips ${files.map(({path}) => `\`${path}\``).join(' and ')} differ only in their extension`,
      'rename one of them, or leave it out by the include pattern of the source',
    );
  }
}
