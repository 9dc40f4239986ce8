import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, sep} from 'node:path';
import {StageError} from 'mixdown/stage';
import {PACKAGE_FILES} from './description.ts';
import type {PackagePlace} from './read-description.ts';

/**
 * Lists the files of a package with their digests, in the form that `sha256sum --check` reads. Without the description,
 * which people may edit: its front end is checked by its schema, and the names of classes are anyone's.
 */
export function writeChecksums(folder: string): void {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map(({parentPath, name}) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
    .filter((path) => path !== PACKAGE_FILES.description)
    .sort();
  const lines = files.map((path) => `${digestOf(join(folder, path))}  ${path}\n`);
  writeFileSync(join(folder, PACKAGE_FILES.checksums), lines.join(''));
}

/**
 * The path of one of a package's files, whose bytes are those that it was written with. Throws StageError when it is not
 * there or was changed: other weights would give other scores without a word.
 */
export function checkedFiles(files: PackagePlace): (path: string) => string {
  const digests = new Map<string, string>();
  for (const line of readFileSync(fileOf(files, PACKAGE_FILES.checksums), 'utf8').split('\n')) {
    digests.set(line.slice(66), line.slice(0, 64));
  }
  return (path) => {
    const file = fileOf(files, path);
    if (digestOf(file) === digests.get(path)) return file;
    throw new StageError(`${path} of the model is not as it was written: it was damaged or changed`, AGAIN);
  };
}

const AGAIN = 'copy or export it again';

function fileOf(files: PackagePlace, path: string): string {
  const file = files(path);
  if (file === undefined) throw new StageError(`the model lacks its file ${path}`, AGAIN);
  return file;
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
