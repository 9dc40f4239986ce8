import type {InputTree, TreeFile} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';

export type FoundClip =
  | {readonly kind: 'found'; readonly file: TreeFile}
  | {readonly kind: 'missing'}
  | {readonly kind: 'ambiguous'; readonly paths: readonly string[]};

/**
 * Finds files of the tree by the names that tables use, which may say more or less of the path than the tree has. In turn:
 * the path itself; the one path that ends with the name; the longest path that the name ends with; the same with another
 * extension, or none in the name, where `anyExtension` allows it; all that with accented letters written as one code point or
 * as two, as file systems do. `names` are tried in order.
 */
export function clipFinder({entries}: InputTree, anyExtension: boolean): (names: readonly string[]) => FoundClip {
  const asWritten = finder(entries, anyExtension, (text) => text);
  const normalized = finder(entries, anyExtension, (text) => text.normalize('NFC'));
  return (names) => {
    for (const name of names.map(plainPath)) {
      const exact = asWritten(name);
      const found = exact.length > 0 ? exact : normalized(name);
      const [file] = found;
      if (file === undefined) continue;
      return found.length === 1 ? {kind: 'found', file} : {kind: 'ambiguous', paths: found.map(({path}) => path)};
    }
    return {kind: 'missing'};
  };
}

/** Finds files by a name and their paths, both in the form that `form` gives them. */
function finder(
  entries: readonly TreeFile[],
  anyExtension: boolean,
  form: (text: string) => string,
): (name: string) => readonly TreeFile[] {
  const byPath = index(entries, ({path}) => form(path));
  const byKey = anyExtension ? index(entries, ({key}) => form(key)) : undefined;
  return (given) => {
    const name = form(given);
    const candidates = lookUp(byPath, name);
    if (candidates.length > 0 || byKey === undefined) return candidates;
    return [name, stem(name)].map((key) => lookUp(byKey, key)).find((files) => files.length > 0) ?? [];
  };
}

interface Index {
  readonly whole: ReadonlyMap<string, readonly TreeFile[]>;
  readonly byLastPart: ReadonlyMap<string, readonly TreeFile[]>;
  readonly textOf: (file: TreeFile) => string;
}

function index(entries: readonly TreeFile[], textOf: (file: TreeFile) => string): Index {
  const whole = groupBy(entries, textOf);
  return {whole, byLastPart: groupBy(entries, (file) => lastPart(textOf(file))), textOf};
}

function lookUp({whole, byLastPart, textOf}: Index, name: string): readonly TreeFile[] {
  const exact = whole.get(name);
  if (exact !== undefined) return exact;
  const alike = byLastPart.get(lastPart(name)) ?? [];
  const longer = alike.filter((file) => textOf(file).endsWith(`/${name}`));
  if (longer.length > 0) return longer;
  const shorter = alike.filter((file) => name.endsWith(`/${textOf(file)}`));
  const longest = Math.max(...shorter.map((file) => textOf(file).length));
  return shorter.filter((file) => textOf(file).length === longest);
}

/** Tables made on Windows write backslashes. */
function plainPath(name: string): string {
  return name.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '');
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function stem(path: string): string {
  return path.replace(/(?<=[^/])\.[^./]*$/, '');
}
