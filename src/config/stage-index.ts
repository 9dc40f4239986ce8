import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {sha256, type Sha256} from '../core/digest.ts';
import {byCodeUnit} from '../core/json.ts';
import type {CodeManifest} from '../core/stage.ts';
import {readCacheJson, writeCacheFile, writeCacheJson} from './cache-file.ts';
import {fileStamp, isSettled, sameStamp, type FileStamp} from './file-stamp.ts';
import {packagePlaces, type StageBundle} from './stage-bundle.ts';
import type {StageFile} from './stage-catalog.ts';

/** What is remembered of a stage file, so that an unchanged one is neither parsed nor imported. */
export interface StageIndex {
  readonly format: typeof indexFormat;
  /** File system time before the files were read, in nanoseconds. */
  readonly checkedNs: string;
  readonly files: readonly {readonly path: string; readonly stamp: FileStamp; readonly hash: Sha256}[];
  /** Folders of these files: a new file there may answer an import instead. */
  readonly folders: readonly {readonly path: string; readonly listing: Sha256}[];
  /** Where npm packages were looked for, installed or not. */
  readonly packages: readonly {readonly path: string; readonly stamp: FileStamp | null}[];
  readonly code: Sha256;
  readonly manifest: CodeManifest;
  /** Hash of the compiled module's text, which is also its folder's name. */
  readonly module: Sha256;
}

/** Changes when the digest, the compiled form or this record's shape changes. */
const indexFormat = 'stage-index/1';

export function indexPath(cacheDir: string, stage: StageFile): string {
  return join(cacheDir, 'stages', 'index', `${sha256(stage.file)}.json`);
}

/** The remembered facts, if they still hold: every stamp is the same, and where a stamp proves nothing the content is. */
export function readIndex(cacheDir: string, stage: StageFile, toolHash: Sha256): StageIndex | undefined {
  const path = indexPath(cacheDir, stage);
  const record = readCacheJson(path) as (StageIndex & {readonly tool: Sha256}) | undefined;
  if (record?.format !== indexFormat || record.tool !== toolHash) return undefined;
  const {files, folders, packages, checkedNs} = record;
  if (!packages.every((place) => sameStamp(fileStamp(place.path), place.stamp ?? undefined))) return undefined;
  if (!folders.every((folder) => listingOf(folder.path) === folder.listing)) return undefined;
  if (!files.every((file) => sameStamp(fileStamp(file.path), file.stamp))) return undefined;
  const doubtful = files.filter((file) => !isSettled(file.stamp, checkedNs));
  if (doubtful.length === 0) return record;
  const now = fileSystemTime(path);
  if (!doubtful.every((file) => hashOf(file.path) === file.hash)) return undefined;
  if (now !== undefined) writeCacheJson(path, {...record, checkedNs: now});
  return record;
}

/** Remembers what a bundle was made from. */
export function writeIndex(
  cacheDir: string,
  stage: StageFile,
  bundle: StageBundle,
  facts: Pick<StageIndex, 'code' | 'manifest' | 'module' | 'checkedNs'> & {readonly tool: Sha256},
): void {
  const folders = [...new Set(bundle.files.map((file) => dirname(file.path)))].sort(byCodeUnit);
  const places = [...bundle.packages].flatMap(([name, from]) =>
    [...from].flatMap((folder) => packagePlaces(name, folder)),
  );
  const record: StageIndex & {readonly tool: Sha256} = {
    format: indexFormat,
    ...facts,
    files: bundle.files.map(({path, stamp, content}) => ({path, stamp, hash: sha256(content)})),
    folders: folders.map((path) => ({path, listing: listingOf(path)})),
    packages: [...new Set(places)].sort(byCodeUnit).map((path) => ({path, stamp: fileStamp(path) ?? null})),
  };
  writeCacheJson(indexPath(cacheDir, stage), record);
}

/** The file system's own time, which is what stamps are to be compared with; undefined where nothing can be written. */
export function fileSystemTime(near: string): string | undefined {
  const probe = `${near}.time`;
  return writeCacheFile(probe, '') ? fileStamp(probe)?.[2] : undefined;
}

function listingOf(folder: string): Sha256 {
  try {
    return sha256(readdirSync(folder).sort(byCodeUnit).join('\0'));
  } catch {
    return sha256('');
  }
}

function hashOf(path: string): Sha256 | undefined {
  try {
    return sha256(readFileSync(path));
  } catch {
    return undefined;
  }
}
