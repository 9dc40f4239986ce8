import {existsSync, readFileSync, realpathSync} from 'node:fs';
import {dirname, join, relative, sep} from 'node:path';
import {isObject, type Json, type JsonObject} from '../../core/json.ts';
import {git} from '../git/git.ts';
import {packageVersion} from '../package.ts';
import type {Project} from '../project.ts';
import type {NodeChoice, PackageManager, WorkflowFacts} from './workflow-text.ts';

export interface RepositoryFacts extends WorkflowFacts {
  /** Absolute; the project's folder when it lies in no repository. */
  readonly top: string;
  readonly inGit: boolean;
  /** mixdown is among the packages that are installed. */
  readonly hasMixdown: boolean;
}

/** Looks at a project and its repository for what a workflow has to know. */
export async function repositoryFacts(project: Project): Promise<RepositoryFacts> {
  const root = realpathSync(project.root);
  const found = topOf(root);
  const top = found ?? root;
  const from = (path: string): string => relative(top, path).split(sep).join('/');
  const cache = from(project.cacheDir.replace(project.root, root));
  const home = [...foldersUp(root, top)].find((folder) => existsSync(join(folder, 'package.json')));
  const folder = lockFolder(root, top) ?? home;
  const manifest = home === undefined ? {} : readJson(join(home, 'package.json'));
  return {
    top,
    inGit: found !== undefined,
    branch: await mainBranch(top),
    project: from(root),
    cache: cache.startsWith('../') ? from(join(root, 'cache')) : cache,
    node: nodeChoice(root, top, manifest, from),
    packages: packageManager(folder, from),
    locked: existsSync(join(root, 'mixdown.lock')),
    largeFiles: readText(join(top, '.gitattributes')).includes('filter=lfs'),
    hasMixdown: ['dependencies', 'devDependencies'].some((group) => {
      const members = manifest[group];
      return isObject(members) && Object.hasOwn(members, 'mixdown');
    }),
  };
}

/** A repository's folder has `.git`, which is a file in a work tree of another. */
function topOf(root: string): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function* foldersUp(from: string, top: string): Generator<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    yield folder;
    if (folder === top || folder === dirname(folder)) return;
  }
}

/** The branch that others start from. */
async function mainBranch(top: string): Promise<string> {
  const remote = await git(top, ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD']);
  const name = remote.ok && remote.value.code === 0 ? remote.value.stdout.toString('utf8').trim() : '';
  if (name.startsWith('origin/')) return name.slice('origin/'.length);
  const known = await git(top, ['for-each-ref', '--format=%(refname:short)', 'refs/heads/main', 'refs/heads/master']);
  const [first] = known.ok ? known.value.stdout.toString('utf8').split('\n') : [];
  return first === undefined || first === '' ? 'main' : first;
}

const versionFiles = ['.nvmrc', '.node-version', '.tool-versions'];

function nodeChoice(root: string, top: string, manifest: JsonObject, from: (path: string) => string): NodeChoice {
  for (const folder of foldersUp(root, top)) {
    const name = versionFiles.find((each) => {
      const text = readText(join(folder, each));
      return each === '.tool-versions' ? /^nodejs\s/m.test(text) : text.trim() !== '';
    });
    if (name !== undefined) return {file: from(join(folder, name))};
    const {engines} = manifest;
    const said = isObject(engines) && typeof engines['node'] === 'string';
    if (said && existsSync(join(folder, 'package.json'))) return {file: from(join(folder, 'package.json'))};
  }
  return {version: process.versions.node.split('.')[0] ?? ''};
}

const lockFiles = {
  npm: ['package-lock.json', 'npm-shrinkwrap.json'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
  bun: ['bun.lock', 'bun.lockb'],
} as const;

function lockFolder(root: string, top: string): string | undefined {
  const names = Object.values(lockFiles).flat();
  return [...foldersUp(root, top)].find((folder) => names.some((name) => existsSync(join(folder, name))));
}

function packageManager(folder: string | undefined, from: (path: string) => string): PackageManager {
  if (folder === undefined) {
    const install = `npm install --global mixdown@${packageVersion()}`;
    return {name: 'none', install, folder: '', call: ''};
  }
  for (const name of ['npm', 'pnpm', 'yarn', 'bun'] as const) {
    const file = lockFiles[name].find((each) => existsSync(join(folder, each)));
    if (file !== undefined) return {...managers(name, folder), lock: from(join(folder, file)), folder: from(folder)};
  }
  return {name: 'npm', install: 'npm install', folder: from(folder), call: 'npx --no-install'};
}

function managers(
  name: Exclude<PackageManager['name'], 'none'>,
  folder: string,
): Pick<PackageManager, 'name' | 'install' | 'call' | 'version'> {
  switch (name) {
    case 'npm':
      return {name, install: 'npm ci', call: 'npx --no-install'};
    case 'pnpm': {
      const pinned = typeof readJson(join(folder, 'package.json'))['packageManager'] === 'string';
      const old = /^lockfileVersion: '?[56]\./m.test(readText(join(folder, 'pnpm-lock.yaml')));
      const install = 'pnpm install --frozen-lockfile';
      return {name, install, call: 'pnpm exec', ...(pinned ? {} : {version: old ? '8' : '10'})};
    }
    case 'yarn': {
      const classic = readText(join(folder, 'yarn.lock')).includes('# yarn lockfile v1');
      return {name, install: `yarn install ${classic ? '--frozen-lockfile' : '--immutable'}`, call: 'yarn run'};
    }
    case 'bun':
      return {name, install: 'bun install --frozen-lockfile', call: 'bun run'};
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readJson(path: string): JsonObject {
  try {
    const value = JSON.parse(readText(path)) as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
