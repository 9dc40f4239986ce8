import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';

/** A file of an npm package that a compiled stage imports. */
export interface StagePackage {
  /** As the stage names it: by its place on the machine that compiled it. */
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** In the package. */
  readonly path: string;
}

const packagesFolder = '/node_modules/';

/** Files of npm packages that a compiled stage imports. */
export function packagesOf(text: string): readonly StagePackage[] {
  const urls = new Set([...text.matchAll(/"(file:\/\/\/[^"\s]*\/node_modules\/[^"\s]*)"/g)].map(([, url]) => url!));
  return [...urls].sort().flatMap((url): StagePackage[] => {
    const file = fileURLToPath(url);
    const at = file.lastIndexOf(packagesFolder) + packagesFolder.length;
    const parts = file.slice(at).split('/');
    const name = parts.slice(0, file[at] === '@' ? 2 : 1).join('/');
    const version = versionIn(file.slice(0, at) + name);
    return version === undefined ? [] : [{url, name, version, path: file.slice(at + name.length + 1)}];
  });
}

/**
 * The stage with its packages as they are installed here: in the `node_modules` of a folder, or of one above it, in the
 * version that the stage is keyed by.
 */
export function withPackages(text: string, packages: readonly StagePackage[], from: string): Result<string, Failure> {
  let changed = text;
  for (const {url, name, version, path} of packages) {
    const folder = foldersAbove(from, name).find((place) => versionIn(place) !== undefined);
    const found = folder === undefined ? undefined : versionIn(folder);
    if (folder === undefined || found !== version) {
      const what = found === undefined ? `lacks the npm package ${name}` : `has ${name} ${found}`;
      return err(
        failure('no-executor', `the compute node ${what}; the stage imports ${name} ${version}`, {
          hint: `install ${name}@${version} on the compute nodes, beside mixdown: in a node_modules folder at or above ${from}`,
        }),
      );
    }
    changed = changed.replaceAll(`"${url}"`, JSON.stringify(pathToFileURL(join(folder, path)).href));
  }
  return ok(changed);
}

/** Places of a package, the nearest first. */
function foldersAbove(from: string, name: string): readonly string[] {
  const places: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    places.push(join(folder, 'node_modules', name));
    if (dirname(folder) === folder) return places;
  }
}

/** Version of the package in this folder; undefined when there is none. */
function versionIn(folder: string): string | undefined {
  try {
    const {version} = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {version?: unknown};
    return typeof version === 'string' ? version : '';
  } catch {
    return undefined;
  }
}
