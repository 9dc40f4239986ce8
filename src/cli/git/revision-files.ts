import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  type Dirent,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, posix, relative, sep} from 'node:path';
import {ok, type Result} from '../../core/result.ts';
import {readObjects, type TreeObject} from './tree.ts';
import type {Revision} from './revision.ts';

/** A part of a revision's files in a folder of its own. The work tree and the index stay as they are. */
export interface RevisionFiles {
  /** Absolute; stands for the top of the work tree. */
  readonly top: string;
  /** The files that were put there, from the top. */
  readonly paths: ReadonlySet<string>;
  readonly remove: () => void;
}

/**
 * Puts some files of a revision where they can be loaded, with everything that they name by a relative path, and so what
 * they import. Installed packages are those of the work tree; packages that are linked from the repository itself are code
 * like any other.
 *
 * @param paths - from the top of the work tree
 * @param folders - whose package folders and `package.json` may be looked for, from there
 */
export async function checkOutFiles(
  revision: Revision,
  tree: ReadonlyMap<string, TreeObject>,
  paths: readonly string[],
  folders: readonly string[],
): Promise<Result<RevisionFiles>> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'mixdown-revision-')));
  const top = join(base, 'files');
  const remove = (): void => rmSync(base, {recursive: true, force: true});
  try {
    mkdirSync(top);
    const linked = linkPackages(revision.top, top, folders);
    const wanted = new Set(paths);
    for (const path of tree.keys()) if (linked.some((folder) => path.startsWith(`${folder}/`))) wanted.add(path);
    const done = new Set<string>();
    const placed = new Set<string>();
    for (;;) {
      for (const path of [...wanted]) for (const folder of above(path)) wanted.add(posix.join(folder, 'package.json'));
      const next = [...wanted].filter((path) => !done.has(path) && tree.has(path));
      for (const path of wanted) done.add(path);
      if (next.length === 0) return ok({top, paths: placed, remove});
      const objects = next.flatMap((path) => tree.get(path) ?? []).filter(({kind}) => kind !== 'submodule');
      const read = await readObjects(
        revision,
        objects.map(({object}) => object),
      );
      if (!read.ok) {
        remove();
        return read;
      }
      for (const path of next) {
        const {kind, object} = tree.get(path)!;
        const bytes = read.value.get(object);
        if (bytes === undefined) continue;
        place(join(top, path), kind, bytes);
        placed.add(path);
        for (const named of namedPaths(path, kind, bytes, tree)) wanted.add(named);
      }
    }
  } catch (error) {
    remove();
    throw error;
  }
}

function place(file: string, kind: TreeObject['kind'], bytes: Buffer): void {
  mkdirSync(dirname(file), {recursive: true});
  if (kind === 'link') symlinkSync(bytes.toString('utf8'), file);
  else writeFileSync(file, bytes);
}

/** Kinds of files that can name others. */
const code = /\.(?:[mc]?[jt]s|json)$/;
/** Kinds of files that a stage can import. */
export const importable = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '.txt'];

/** Files that a file of code names in a text that begins with a dot, as an import does; more than it imports, never less. */
function namedPaths(
  path: string,
  kind: TreeObject['kind'],
  bytes: Buffer,
  tree: ReadonlyMap<string, TreeObject>,
): readonly string[] {
  const folder = posix.dirname(path);
  if (kind === 'link') return [posix.join(folder, bytes.toString('utf8'))];
  if (!code.test(path)) return [];
  return [...bytes.toString('utf8').matchAll(/["'`](\.\.?(?:\/[^"'`\n]*)?)["'`]/g)].flatMap(([, text = '']) => {
    const named = posix.join(folder, text).replace(/\/$/, '');
    const bare = named.replace(/\.([mc]?)js$/, '.$1ts');
    const tries = [named, bare, ...importable.flatMap((each) => [named + each, posix.join(named, `index${each}`)])];
    return tries.filter((each) => tree.has(each));
  });
}

/** `a/b/c.ts` -> `a/b`, `a`, ``. */
function above(path: string): readonly string[] {
  const found: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) found.push(path.slice(0, at));
  return [...found, ''];
}

/**
 * Makes the installed packages of the work tree those of the folder too.
 *
 * @returns folders of the repository that packages are linked to, from its top
 */
function linkPackages(from: string, to: string, folders: readonly string[]): readonly string[] {
  const linked = new Set<string>();
  const levels = new Set(folders.flatMap((folder) => above(`${folder}/x`)));
  for (const level of levels) {
    const installed = join(from, level, 'node_modules');
    if (!isFolder(installed)) continue;
    const own = links(installed, from);
    const place = join(to, level, 'node_modules');
    mkdirSync(dirname(place), {recursive: true});
    if (own.size === 0) symlinkSync(installed, place);
    else linkEach(installed, place, own, to);
    for (const folder of own.values()) linked.add(folder);
  }
  for (let folder = dirname(from); folder !== dirname(folder); folder = dirname(folder)) {
    const installed = join(folder, 'node_modules');
    if (!isFolder(installed)) continue;
    symlinkSync(installed, join(dirname(to), 'node_modules'));
    break;
  }
  return [...linked];
}

/** Names of packages that are links into the repository, with the folder that they lead to. */
function links(installed: string, top: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, entry] of packageEntries(installed)) {
    if (!entry.isSymbolicLink()) continue;
    try {
      const folder = relative(top, realpathSync(join(installed, name)))
        .split(sep)
        .join('/');
      if (!folder.startsWith('..') && !folder.split('/').includes('node_modules')) found.set(name, folder);
    } catch {
      // A link that leads nowhere is a package that is not installed.
    }
  }
  return found;
}

function linkEach(installed: string, place: string, own: ReadonlyMap<string, string>, top: string): void {
  for (const [name] of packageEntries(installed)) {
    const folder = own.get(name);
    mkdirSync(dirname(join(place, name)), {recursive: true});
    symlinkSync(folder === undefined ? join(installed, name) : join(top, folder), join(place, name));
  }
}

function packageEntries(installed: string): readonly (readonly [string, Dirent])[] {
  return readdirSync(installed, {withFileTypes: true}).flatMap((entry): (readonly [string, Dirent])[] => {
    if (!entry.name.startsWith('@')) return [[entry.name, entry]];
    const scope = join(installed, entry.name);
    return readdirSync(scope, {withFileTypes: true}).map((each) => [`${entry.name}/${each.name}`, each] as const);
  });
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}
