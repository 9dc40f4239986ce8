import {randomUUID} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';

/** Writes a cache file so that readers see all of it or nothing. Returns false where that is not possible. */
export function writeCacheFile(path: string, text: string): boolean {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(temporary, text, {flag: 'wx'});
    renameSync(temporary, path);
    return true;
  } catch {
    rmSync(temporary, {force: true});
    return false;
  }
}

/** The text of a cache file; undefined when there is none. */
export function readCacheFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The JSON value in a cache file; undefined when there is none or it is damaged. */
export function readCacheJson(path: string): unknown {
  const text = readCacheFile(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
