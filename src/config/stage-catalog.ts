import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {didYouMean} from '../core/closest.ts';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';

/** A stage module on disk. Nothing of it was read. */
export interface StageFile {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
  /** `mixdown`: it comes with this installation, and the project has none of that name. */
  readonly origin: 'project' | 'mixdown';
  /** Absolute folder that the paths in the stage's code manifest are relative to. */
  readonly base: string;
  /** Put before these paths: empty, or `mixdown/`. */
  readonly prefix: string;
  /** Path for messages and declarations. */
  readonly shown: string;
}

export interface StageCatalog {
  /** By name, in the order of names. */
  readonly stages: ReadonlyMap<string, StageFile>;
  find(name: string): Result<StageFile>;
}

const modulePattern = /^([A-Za-z0-9][A-Za-z0-9_-]*)\.(ts|js|mjs)$/;

/** All stages a project can use: `<root>/stages/*.{ts,js,mjs}`, then those that come with mixdown. */
export function readCatalog(root: string, packageRoot: string): StageCatalog {
  const found = new Map<string, StageFile>();
  const doubled = new Map<string, readonly string[]>();
  const origins = [{base: root, origin: 'project', prefix: ''} as const];
  const all =
    packageRoot === root ? origins : [...origins, {base: packageRoot, origin: 'mixdown', prefix: 'mixdown/'} as const];
  for (const {base, origin, prefix} of all) {
    const here = new Map<string, string[]>();
    for (const entry of listModules(join(base, 'stages'))) {
      const name = modulePattern.exec(entry)?.[1];
      if (name !== undefined) here.set(name, [...(here.get(name) ?? []), entry]);
    }
    for (const [name, [entry = '', ...others]] of here) {
      if (found.has(name)) continue;
      if (others.length > 0) doubled.set(name, [entry, ...others]);
      const shown = `${prefix}stages/${entry}`;
      found.set(name, {name, file: join(base, 'stages', entry), origin, base, prefix, shown});
    }
  }
  const stages = new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    stages,
    find(name) {
      const stage = stages.get(name);
      const files = doubled.get(name);
      if (files) {
        const message = `stage \`${name}\` is written twice: ${files.map((file) => `stages/${file}`).join(' and ')}`;
        return err([failure('stage-invalid', message, {hint: 'remove one of the files'})]);
      }
      if (stage) return ok(stage);
      const near = didYouMean(name, stages.keys());
      const hint = name === 'command' ? 'a command node has `command: [program, argument]` and no `stage`' : near;
      const fallback =
        stages.size === 0
          ? 'there is no stages/ folder with a stage in it'
          : `write stages/${name}.ts, or see \`mixdown stages\``;
      return err([failure('unknown-stage', `unknown stage \`${name}\``, {hint: hint ?? fallback})]);
    },
  };
}

function listModules(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
