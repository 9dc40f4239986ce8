import type {InputTree, TreeFile} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';

export type FoundClip =
  | {readonly kind: 'found'; readonly file: TreeFile}
  | {readonly kind: 'missing'}
  | {readonly kind: 'ambiguous'; readonly paths: readonly string[]};

/**
 * Finds files of the tree by the names that tables use, which may say more or less of the path than the tree has. In turn:
 * the path itself; the one path that ends with the name; the longest path that the name ends with; the same with another
 * extension, or none in the name, where `anyExtension` allows it. `names` are tried in order.
 */
export function clipFinder({entries}: InputTree, anyExtension: boolean): (names: readonly string[]) => FoundClip {
  const byPath = index(entries, ({path}) => path);
  const byKey = anyExtension ? index(entries, ({key}) => key) : undefined;
  return (names) => {
    for (const name of names.map(plainPath)) {
      const candidates = lookUp(byPath, name);
      const found =
        candidates.length > 0 || !byKey
          ? candidates
          : ([name, stem(name)].map((key) => lookUp(byKey, key)).find((files) => files.length > 0) ?? []);
      const [file] = found;
      if (file === undefined) continue;
      return found.length === 1 ? {kind: 'found', file} : {kind: 'ambiguous', paths: found.map(({path}) => path)};
    }
    return {kind: 'missing'};
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
