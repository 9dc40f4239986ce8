import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {git, gitMessage} from './git.ts';
import type {Revision} from './revision.ts';

/** What lies at a path of a commit: a file, a symbolic link, or a submodule, whose object is a commit. */
export interface TreeObject {
  readonly kind: 'file' | 'link' | 'submodule';
  readonly object: string;
}

/** Every path of a commit, from the top of the work tree. */
export async function listTree({top, commit}: Revision): Promise<Result<ReadonlyMap<string, TreeObject>>> {
  const answer = await git(top, ['ls-tree', '-r', '-z', '--full-tree', commit]);
  if (!answer.ok) return answer;
  if (answer.value.code !== 0) return err([failure('unknown-revision', `git ls-tree: ${gitMessage(answer.value)}`)]);
  const found = new Map<string, TreeObject>();
  for (const line of parts(answer.value.stdout)) {
    const [facts, path] = split(line, '\t');
    const [mode, , object = ''] = facts.split(' ');
    found.set(path, {kind: mode === '160000' ? 'submodule' : mode === '120000' ? 'link' : 'file', object});
  }
  return ok(found);
}

/** The bytes of these objects. */
export async function readObjects(
  {top}: Revision,
  objects: readonly string[],
): Promise<Result<ReadonlyMap<string, Buffer>>> {
  const found = new Map<string, Buffer>();
  if (objects.length === 0) return ok(found);
  const answer = await git(top, ['cat-file', '--batch'], `${objects.join('\n')}\n`);
  if (!answer.ok) return answer;
  const {stdout} = answer.value;
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf('\n', at);
    const [object = '', kind, size = ''] = stdout.toString('utf8', at, end).split(' ');
    if (kind !== 'blob') break;
    at = end + 1 + Number(size);
    found.set(object, stdout.subarray(end + 1, at));
    // A line break follows the bytes.
    at++;
  }
  const lacking = objects.find((object) => !found.has(object));
  if (lacking === undefined) return ok(found);
  return err([failure('unknown-revision', `git cannot read object ${lacking}: ${gitMessage(answer.value)}`)]);
}

/** What differs between a commit and the work tree. Paths from the top of the work tree. */
export interface WorkTreeChanges {
  /** Files of both with other bytes, and links and submodules that lead elsewhere. */
  readonly changed: readonly string[];
  /** Files that the commit does not have, untracked ones too, but none that git ignores. */
  readonly added: readonly string[];
  /** Files that git no longer tracks. They may still be there. */
  readonly removed: readonly string[];
}

/** Compares as git does, so that line endings and files kept elsewhere (LFS) count as what they stand for. */
export async function workTreeChanges({top, commit}: Revision): Promise<Result<WorkTreeChanges>> {
  const flags = ['--name-status', '--no-renames', '--no-ext-diff', '--no-color', '-z'];
  const [diff, others] = await Promise.all([
    git(top, ['diff', ...flags, commit, '--']),
    git(top, ['ls-files', '--others', '--exclude-standard', '-z']),
  ]);
  if (!diff.ok) return diff;
  if (!others.ok) return others;
  const wrong = [diff.value, others.value].find(({code}) => code !== 0);
  if (wrong) return err([failure('no-repository', `git cannot compare the work tree: ${gitMessage(wrong)}`)]);
  const untracked = parts(others.value.stdout);
  const changes = {changed: [] as string[], added: [] as string[], removed: [] as string[]};
  const told = parts(diff.value.stdout);
  for (let at = 0; at + 1 < told.length; at += 2) {
    const [status, path = ''] = [told[at], told[at + 1]];
    (status === 'A' ? changes.added : status === 'D' ? changes.removed : changes.changed).push(path);
  }
  const gone = new Set(changes.removed);
  for (const path of untracked) if (!gone.has(path)) changes.added.push(path);
  return ok(changes);
}

/** Paths that git ignores, below a path; a folder that is ignored as a whole is one, with a slash at its end. */
export async function ignoredBelow(top: string, path: string): Promise<Result<readonly string[]>> {
  const flags = ['--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const answer = await git(top, ['--literal-pathspecs', 'ls-files', ...flags, '--', path]);
  return answer.ok ? ok(parts(answer.value.stdout)) : answer;
}

function parts(bytes: Buffer): readonly string[] {
  const text = bytes.toString('utf8').replace(/\0$/, '');
  return text === '' ? [] : text.split('\0');
}

function split(line: string, mark: string): readonly [string, string] {
  const at = line.indexOf(mark);
  return [line.slice(0, at), line.slice(at + 1)];
}
