import {sameDigest} from './digest.ts';
import {byCodeUnit} from './json.ts';
import type {CodeChange, EntryChanges} from './reason.ts';
import type {CodeManifest} from './stage.ts';
import {compareUtf8, type Tree} from './tree.ts';

/** Paths named per kind of change; the counts go on. */
const mostPaths = 50;

/** What changed from one tree to another, entry by entry, in path order. Linear. */
export function entryChanges(before: Tree, after: Tree): EntryChanges {
  const added: string[] = [];
  const removed: string[] = [];
  const changed: string[] = [];
  let left = 0;
  let right = 0;
  for (;;) {
    const was = before.entries[left];
    const is = after.entries[right];
    if (was === undefined && is === undefined) break;
    const order = was === undefined ? 1 : is === undefined ? -1 : compareUtf8(was.path, is.path);
    if (order < 0) {
      removed.push(was!.path);
      left++;
    } else if (order > 0) {
      added.push(is!.path);
      right++;
    } else {
      if (!sameDigest(was!.digest, is!.digest) || was!.executable !== is!.executable) changed.push(is!.path);
      left++;
      right++;
    }
  }
  return {
    added: added.slice(0, mostPaths),
    removed: removed.slice(0, mostPaths),
    changed: changed.slice(0, mostPaths),
    addedCount: added.length,
    removedCount: removed.length,
    changedCount: changed.length,
    total: after.entries.length,
  };
}

/** What changed from one import closure to another: files first, then packages, each by name. */
export function codeChanges(before: CodeManifest, after: CodeManifest): readonly CodeChange[] {
  return [
    ...memberChanges('file', before.files, after.files),
    ...memberChanges('package', before.packages, after.packages),
  ];
}

function memberChanges(
  what: CodeChange['what'],
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): CodeChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byCodeUnit);
  return names.flatMap((name) => {
    const was = before[name];
    const is = after[name];
    if (was === is) return [];
    return [{what, name, ...(was === undefined ? {} : {before: was}), ...(is === undefined ? {} : {after: is})}];
  });
}
