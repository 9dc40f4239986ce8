import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, relative, sep} from 'node:path';
import {codeDigest} from '../../config/code-digest.ts';
import {isObject, type Json} from '../../core/json.ts';
import type {Pipeline} from '../../core/pipeline.ts';
import type {StageDeclaration} from '../../core/stage.ts';

/** Versions of the packages that a project installs, as its package-lock.json says. */
export interface LockVersions {
  /** From a folder below the lock file, with forward slashes; empty for the lock file's own. */
  versionOf(name: string, folder: string): string | undefined;
}

/** Files that say which versions a package manager installs. */
const lockNames = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
] as const;

/** The lock file that holds for a folder: the nearest, up to the top of the repository. Absolute. */
export function nearestLock(root: string, top: string): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    const name = lockNames.find((each) => existsSync(join(folder, each)));
    if (name !== undefined) return join(folder, name);
    if (folder === top || folder === dirname(folder)) return undefined;
  }
}

/** Undefined for a lock file of another package manager, or of npm before its version 7. */
export function parseLock(text: string | undefined): LockVersions | undefined {
  const packages = packagesOf(text);
  if (packages === undefined) return undefined;
  return {
    versionOf(name, folder) {
      for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
        const found = packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`];
        if (isObject(found) && typeof found['version'] === 'string') return found['version'];
        if (at === '') return undefined;
      }
    },
  };
}

export function readLock(path: string): LockVersions | undefined {
  try {
    return parseLock(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

export interface LockPair {
  /** Absolute path of the lock file. */
  readonly path: string;
  readonly before: LockVersions;
  readonly after: LockVersions;
}

/**
 * Two pipelines whose stages were loaded with the packages that are installed now, as if the earlier one had had the
 * packages of its own lock file. Where the two lock files agree, nothing changes.
 *
 * @param shipped - the stages that come with mixdown are not in the repository: they change with its version
 */
export function withLockedPackages(
  before: Pipeline,
  after: Pipeline,
  locks: LockPair,
  shipped: boolean,
): {readonly before: Pipeline; readonly after: Pipeline} {
  const folder = relative(dirname(locks.path), after.root).split(sep).join('/');
  const home = `${folder === '' ? '' : `${folder}/`}node_modules/mixdown`;
  const [was, is] = [locks.before.versionOf('mixdown', folder), locks.after.versionOf('mixdown', folder)];
  const moved = shipped && was !== undefined && is !== undefined && was !== is;
  const adjust = (stage: StageDeclaration, earlier: boolean): StageDeclaration => {
    const own = !(shipped && stage.file?.startsWith('mixdown/'));
    const packages = Object.entries(stage.manifest.packages).map(([name, installed]) => {
      const [left, right] = [locks.before, locks.after].map((lock) => lock.versionOf(name, own ? folder : home));
      return [name, earlier && left !== undefined && right !== undefined && left !== right ? left : installed] as const;
    });
    const mixdown = moved && !own ? [['mixdown', (earlier ? was : is) ?? ''] as const] : [];
    const manifest = {...stage.manifest, packages: Object.fromEntries([...packages, ...mixdown])};
    return {...stage, manifest, code: stage.file === undefined ? stage.code : codeDigest(manifest)};
  };
  const all = (pipeline: Pipeline, earlier: boolean): Pipeline => ({
    ...pipeline,
    stages: Object.fromEntries(
      Object.entries(pipeline.stages).map(([name, stage]) => [name, adjust(stage, earlier)] as const),
    ),
  });
  return {before: all(before, true), after: all(after, false)};
}

function packagesOf(text: string | undefined): {readonly [key: string]: Json | undefined} | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    const packages = isObject(value) ? value['packages'] : undefined;
    return isObject(packages) ? packages : undefined;
  } catch {
    return undefined;
  }
}
