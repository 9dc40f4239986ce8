import {chmod, copyFile, link, mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Digest, Sha256} from '../../core/digest.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Cas, Exchange} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {parseTree, type Artifact, type TreeEntry} from '../../core/tree.ts';

/** Where blobs come from, and where they are kept. */
export interface Depot {
  readonly cas: Cas;
  readonly exchange: Exchange;
  readonly signal: AbortSignal;
}

/** Blobs that could not be had, for a reason that lies with them, or none when it is another. */
export interface Gone {
  readonly gone: readonly Sha256[];
  readonly problem: Failure;
}

/** What an artifact is made of, in the store by now: a file, or the files of a tree. */
export type Taken =
  {readonly kind: 'file'; readonly digest: Digest} | {readonly kind: 'tree'; readonly entries: readonly TreeEntry[]};

/** Brings an artifact into the store, whole. */
export async function takeArtifact(
  artifact: Pick<Artifact, 'kind' | 'digest'>,
  depot: Depot,
): Promise<Result<Taken, Gone>> {
  const {kind, digest} = artifact;
  const gone = await takeAll([digest], depot);
  if (gone) return err(gone);
  if (kind === 'file') return ok({kind, digest});
  const text = await depot.cas.read(digest);
  const tree = text && parseTree(new TextDecoder().decode(text));
  if (!tree) {
    return err({
      gone: [digest.hash],
      problem: failure('blob-corrupt', `blob ${digest.hash} is not the list of a folder`),
    });
  }
  const missing = await takeAll(
    tree.entries.map((entry) => entry.digest),
    depot,
  );
  return missing ? err(missing) : ok({kind, entries: tree.entries});
}

async function takeAll(digests: readonly Digest[], {exchange, signal}: Depot): Promise<Gone | undefined> {
  const problems = await Promise.all(digests.map((digest) => exchange.take(digest, signal)));
  const others = problems.find((problem) => problem !== undefined && !isOfBlob(problem));
  if (others) return {gone: [], problem: others};
  const gone = digests.flatMap(({hash}, index) => (problems[index] ? hash : []));
  const [first] = problems.filter((problem) => problem !== undefined);
  return first && {gone, problem: first};
}

/** Whether the blob is to blame, and not the place or the way to it. */
function isOfBlob({code}: Failure): boolean {
  return code === 'blob-missing' || code === 'blob-corrupt';
}

/** Lays files of the store out under their names: links where that is possible, since they are only read. */
export async function layOut(taken: Taken, to: string, cas: Cas): Promise<void> {
  if (taken.kind === 'file') {
    await mkdir(dirname(to), {recursive: true});
    await place(cas.pathOf(taken.digest), to, false);
    return;
  }
  await mkdir(to, {recursive: true});
  const folders = new Set(taken.entries.map(({path}) => dirname(join(to, path))));
  for (const folder of folders) await mkdir(folder, {recursive: true});
  for (const {path, digest, executable} of taken.entries) {
    await place(cas.pathOf(digest), join(to, path), executable === true);
  }
}

/** A mode belongs to all links of a file, so what must be executable is copied. */
async function place(from: string, to: string, executable: boolean): Promise<void> {
  if (executable) {
    await copyFile(from, to);
    await chmod(to, 0o755);
    return;
  }
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    await copyFile(from, to);
  }
}
