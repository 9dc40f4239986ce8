import {join} from 'node:path';
import {sha256, type Sha256} from '../core/digest.ts';
import {readCacheJson, writeCacheJson} from './cache-file.ts';
import type {LoadedDocument} from './document.ts';

/** Changes when the stored form or the meaning of an accepted document changes. */
const format = 'document/1';
const paramsFormat = 'params/1';

/** A checked document by everything it was made from: the YAML package and Ajv stay unloaded when it is found. */
export interface DocumentKey {
  readonly cacheDir: string;
  readonly schema: Sha256;
  readonly text: string;
  readonly profiles: readonly string[];
  readonly overrides: readonly string[];
}

export function documentHash({schema, text, profiles, overrides}: DocumentKey): Sha256 {
  return sha256(JSON.stringify([format, schema, profiles, overrides, sha256(text)]));
}

export function readCachedDocument(cacheDir: string, hash: Sha256): LoadedDocument | undefined {
  const record = readCacheJson(pathOf(cacheDir, hash)) as (LoadedDocument & {readonly format: string}) | undefined;
  return record?.format === format ? record : undefined;
}

export function cacheDocument(cacheDir: string, hash: Sha256, loaded: LoadedDocument): void {
  writeCacheJson(pathOf(cacheDir, hash), {format, ...loaded});
}

/** Whether the params of this document were found right with these declarations before. */
export function paramsKnownGood(cacheDir: string, hash: Sha256): boolean {
  const record = readCacheJson(pathOf(cacheDir, hash)) as {readonly format?: string} | undefined;
  return record?.format === paramsFormat;
}

export function rememberGoodParams(cacheDir: string, hash: Sha256): void {
  writeCacheJson(pathOf(cacheDir, hash), {format: paramsFormat});
}

function pathOf(cacheDir: string, hash: Sha256): string {
  return join(cacheDir, 'config', `${hash}.json`);
}
