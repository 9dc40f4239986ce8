/**
 * The store's ports without a disk, for tests of the engine. The conformance suites run on these too, so they cannot
 * promise more or less than the real ones. Paths are names in `files`; nothing touches the file system.
 */
import {fingerprintOf, type ActionResult} from '../../src/core/action.ts';
import {digestOf, type Digest, type Sha256} from '../../src/core/digest.ts';
import {failure, FailureError, type Failure} from '../../src/core/failure.ts';
import type {Distrusted, Voucher} from '../../src/core/origin.ts';
import type {NodeId, Source} from '../../src/core/pipeline.ts';
import type {
  ActionCache,
  Cas,
  Checkpoints,
  Distrust,
  Lock,
  Locks,
  NodeState,
  ScannedSource,
  Sources,
  WorkspaceState,
} from '../../src/core/ports.ts';
import {err, ok, type Result} from '../../src/core/result.ts';
import {makeTree, type TreeEntry} from '../../src/core/tree.ts';

/** Bytes by absolute path: where blobs and sources lie. */
export type MemoryFiles = Map<string, Uint8Array>;

export function memoryCas(files: MemoryFiles, warnings: Failure[] = []): Cas {
  const dir = '/memory/cas';
  const pathOf = (digest: Digest): string => `${dir}/${digest.hash.slice(0, 2)}/${digest.hash}`;
  const holds = (digest: Digest): boolean => {
    const bytes = files.get(pathOf(digest));
    if (bytes === undefined) return false;
    const actual = digestOf(bytes);
    if (actual.hash === digest.hash) return actual.size === digest.size;
    files.delete(pathOf(digest));
    warnings.push(failure('blob-corrupt', `Blob ${digest.hash} is damaged`));
    return false;
  };
  const putBytes = async (content: Uint8Array | string): Promise<Digest> => {
    const bytes = bytesOf(content);
    const digest = digestOf(bytes);
    if (!holds(digest)) files.set(pathOf(digest), bytes);
    return digest;
  };
  const putFile: Cas['putFile'] = async (path, how) => {
    const digest = await putBytes(fileOf(files, path));
    if (how === 'move') files.delete(path);
    return digest;
  };
  return {
    dir,
    pathOf,
    holds,
    putBytes,
    putFile,
    async putTree(folder) {
      const entries: TreeEntry[] = [];
      for (const path of pathsBelow(files, folder)) {
        entries.push({path: path.slice(folder.length + 1), digest: await putFile(path, 'move')});
      }
      const {artifact, text} = makeTree(entries);
      await putBytes(text);
      return artifact;
    },
    read: async (digest) => (holds(digest) ? files.get(pathOf(digest)) : undefined),
  };
}

export function memoryActions(records: Map<Sha256, ActionResult>, warnings: Failure[] = []): ActionCache {
  return {
    get(fingerprint) {
      const result = records.get(fingerprint);
      if (result === undefined) return undefined;
      if (result.fingerprint === fingerprint && fingerprintOf(result.action) === fingerprint)
        return structuredClone(result);
      records.delete(fingerprint);
      warnings.push(failure('record-corrupt', `Action record ${fingerprint} is damaged`));
      return undefined;
    },
    async put(result) {
      if (fingerprintOf(result.action) !== result.fingerprint) throw new Error('not the fingerprint of its action');
      records.set(result.fingerprint, structuredClone(result));
    },
  };
}

export function memoryDistrust(entries: Map<Voucher, Distrusted>): Distrust {
  return {of: (voucher) => entries.get(voucher), add: async (entry) => void entries.set(entry.voucher, entry)};
}

/** @param kept - survives, as the journal on the disk does, when another state is made from it */
export function memoryState(kept: Map<NodeId, NodeState> = new Map()): WorkspaceState {
  const pending = new Map<NodeId, NodeState>();
  return {
    get: (node) => pending.get(node) ?? kept.get(node),
    record: (state) => void pending.set(state.node, state),
    async flush() {
      for (const [node, state] of pending) kept.set(node, state);
      pending.clear();
    },
  };
}

export function memoryLocks(): Locks {
  const queues = new Map<string, (() => void)[]>();
  const own = (key: string): Lock => {
    let released = false;
    return {
      release() {
        if (released) return;
        released = true;
        const next = queues.get(key)?.shift();
        if (next) next();
        else queues.delete(key);
      },
    };
  };
  return {
    tryAcquire(key) {
      if (queues.has(key)) return undefined;
      queues.set(key, []);
      return own(key);
    },
    async acquire(key, signal, onWait) {
      signal.throwIfAborted();
      const queue = queues.get(key);
      if (queue === undefined) {
        queues.set(key, []);
      } else {
        onWait('this process');
        await new Promise<void>((resolve, reject) => {
          const turn = (): void => {
            signal.removeEventListener('abort', leave);
            resolve();
          };
          const leave = (): void => {
            queue.splice(queue.indexOf(turn), 1);
            reject(signal.reason as Error);
          };
          queue.push(turn);
          signal.addEventListener('abort', leave, {once: true});
        });
      }
      return own(key);
    },
  };
}

/** Checkpoints among `files`; an attempt's folder is there when a file lies in it. */
export function memoryCheckpoints(files: MemoryFiles, locks: Locks): Checkpoints {
  const dir = '/memory/checkpoints';
  const attempts = new Map<string, number>();
  return {
    waits: (fingerprint) => pathsBelow(files, `${dir}/${fingerprint}`).length > 0,
    take(fingerprint) {
      const place = `${dir}/${fingerprint}`;
      const lock = locks.tryAcquire(`checkpoint-${fingerprint}`);
      const clear = (): void => {
        for (const path of pathsBelow(files, place)) files.delete(path);
      };
      return (
        lock && {
          open(how) {
            const last = `${place}/${attempts.get(fingerprint)}`;
            const next = (attempts.get(fingerprint) ?? 0) + 1;
            const kept = how === 'anew' ? [] : pathsBelow(files, last);
            const moved = kept.map((path) => [path.replace(last, `${place}/${next}`), fileOf(files, path)] as const);
            clear();
            for (const [path, bytes] of moved) files.set(path, bytes);
            attempts.set(fingerprint, next);
            return `${place}/${next}`;
          },
          leave: () => lock.release(),
          discard() {
            clear();
            lock.release();
          },
        }
      );
    },
  };
}

/** Sources among `files`; relative paths start at `root`. Patterns: stars and plain names only. */
export function memorySources(files: MemoryFiles, root = '/project'): Sources {
  const seen = new Map<string, Digest>();
  const folders = new Map<string, readonly string[]>();
  const look = (path: string): Digest => {
    const digest = digestOf(fileOf(files, path));
    seen.set(path, digest);
    return digest;
  };
  const list = (source: Source, folder: string): string[] =>
    pathsBelow(files, folder).filter((path) => {
      const inner = path.slice(folder.length + 1);
      if (/(^|\/)\./.test(inner)) return false;
      const included = source.include.length === 0 || source.include.some((pattern) => matches(pattern, inner));
      return included && !source.exclude.some((pattern) => matches(pattern, inner));
    });
  const scan = (source: Source): Result<ScannedSource> => {
    const path = source.path.startsWith('/') ? source.path : `${root}/${source.path}`;
    if (files.has(path)) return ok({artifact: {kind: 'file', digest: look(path)}, path});
    if (pathsBelow(files, path).length === 0) {
      return err([failure('missing-source', `Source \`${source.name}\`: ${source.path} does not exist`)]);
    }
    const paths = list(source, path);
    if (paths.length === 0 && source.include.length > 0) {
      return err([failure('missing-source', `Source \`${source.name}\`: no file in ${path} matches`)]);
    }
    folders.set(path, paths);
    const {artifact, tree} = makeTree(paths.map((file) => ({path: file.slice(path.length + 1), digest: look(file)})));
    return ok({artifact, tree, path});
  };
  const changed = (path: string): boolean => {
    const bytes = files.get(path);
    return bytes === undefined || digestOf(bytes).hash !== seen.get(path)?.hash;
  };
  return {
    scan: async (source) => scan(source),
    changedSince: (paths) =>
      paths.flatMap((path) => {
        const before = folders.get(path);
        if (before === undefined) return changed(path) ? [path] : [];
        const added = pathsBelow(files, path).filter((file) => !before.includes(file) && !seen.has(file));
        return [...added, ...before.filter(changed)];
      }),
  };
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replaceAll(/[.+^$()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\u0001')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0001', '(?:.*/)?');
  return new RegExp(`^${source}$`).test(path) || path.startsWith(`${pattern.replace(/\/$/, '')}/`);
}

function pathsBelow(files: MemoryFiles, folder: string): string[] {
  return [...files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort();
}

function fileOf(files: MemoryFiles, path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined)
    throw new FailureError(failure('output-unreadable', `${path} cannot be read: it does not exist`));
  return bytes;
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
}
