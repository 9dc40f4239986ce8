import {isAbsolute, relative, sep} from 'node:path';
import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {git, gitMessage} from './git.ts';

/** A commit of the repository that a folder lies in. */
export interface Revision {
  /** As it was named. */
  readonly name: string;
  /** Hexadecimal, in full. */
  readonly commit: string;
  /** Absolute path of the repository's work tree. */
  readonly top: string;
  /** From there to the folder, with forward slashes and one at the end; empty when the folder is the work tree. */
  readonly prefix: string;
}

/**
 * Finds the commit that a name stands for: a branch, a tag, a hash, `HEAD~2`; with three dots after it (`origin/main...`),
 * the commit where HEAD left it.
 *
 * @param root - a folder of the repository's work tree
 */
export async function findRevision(root: string, name: string): Promise<Result<Revision>> {
  const places = await git(root, ['rev-parse', '--show-toplevel', '--show-prefix']);
  if (!places.ok) return places;
  if (places.value.code !== 0) return err([noRepository(root, gitMessage(places.value))]);
  const [top = '', prefix = ''] = lines(places.value.stdout);
  const wanted = name.replace(/\.\.\.$/, '');
  // What begins with a hyphen would be an option, and what has a colon no commit.
  const bad = wanted === '' || wanted.startsWith('-') || wanted.includes(':');
  const found = bad ? undefined : await git(root, ['rev-parse', '--verify', '--quiet', `${wanted}^{commit}`]);
  if (found && !found.ok) return found;
  const [commit] = lines(found?.value.stdout ?? Buffer.alloc(0));
  if (commit === undefined) return err([await unknownRevision(root, wanted)]);
  if (wanted === name) return ok({name, commit, top, prefix});
  const base = await git(root, ['merge-base', commit, 'HEAD']);
  if (!base.ok) return base;
  const [shared] = lines(base.value.stdout);
  if (shared !== undefined) return ok({name, commit: shared, top, prefix});
  const hint = (await isShallow(root)) ? shallowHint : 'name a commit without the three dots';
  return err([failure('unknown-revision', `HEAD and \`${wanted}\` have no commit in common here`, {hint})]);
}

/**
 * The text of a file as it was at a revision; undefined when it was not there, or was no file.
 *
 * @param root - a folder of the repository's work tree
 * @param path - absolute, or from that folder
 */
export async function fileAtRevision(
  root: string,
  revision: string,
  path: string,
): Promise<Result<string | undefined>> {
  const found = await findRevision(root, revision);
  if (!found.ok) return found;
  const shown = (isAbsolute(path) ? relative(root, path) : path).split(sep).join('/');
  const object = `${found.value.commit}:${shown.startsWith('../') ? shown : `./${shown}`}`;
  const kind = await git(root, ['cat-file', '-t', object]);
  if (!kind.ok) return kind;
  if (kind.value.code !== 0 && kind.value.stderr.includes('outside repository')) {
    return err([failure('usage', `${path} lies outside the repository ${found.value.top}`)]);
  }
  if (kind.value.stdout.toString('utf8').trim() !== 'blob') return ok(undefined);
  const text = await git(root, ['cat-file', 'blob', object]);
  if (!text.ok) return text;
  if (text.value.code === 0) return ok(text.value.stdout.toString('utf8'));
  return err([failure('unknown-revision', `${path} at ${revision} cannot be read: ${gitMessage(text.value)}`)]);
}

function lines(bytes: Buffer): readonly string[] {
  const text = bytes.toString('utf8').replace(/\n$/, '');
  return text === '' ? [] : text.split('\n');
}

function noRepository(root: string, message: string): Failure {
  if (!message.startsWith('not a git repository')) {
    return failure('no-repository', `git does not read the repository of ${root}: ${message}`);
  }
  return failure('no-repository', `${root} is in no git repository, so that there are no revisions to compare with`);
}

async function unknownRevision(root: string, name: string): Promise<Failure> {
  const message = `there is no revision \`${name}\` here`;
  if (await isShallow(root)) return failure('unknown-revision', message, {hint: shallowHint});
  const hint = 'a branch, a tag, a commit, or HEAD~1; what another machine has, `git fetch` brings';
  return failure('unknown-revision', message, {hint});
}

const shallowHint =
  'this clone is shallow: fetch the history (git fetch --unshallow), or check out with fetch-depth: 0';

async function isShallow(root: string): Promise<boolean> {
  const answer = await git(root, ['rev-parse', '--is-shallow-repository']);
  return answer.ok && answer.value.stdout.toString('utf8').trim() === 'true';
}
