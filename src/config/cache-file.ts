import {randomUUID} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {sha256} from '../core/digest.ts';

/** Writes a cache file so that readers see all of it or nothing. Returns false where that is not possible. */
export function writeCacheFile(path: string, text: string): boolean {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(temporary, text, {flag: 'wx'});
    renameSync(temporary, path);
    return true;
  } catch {
    try {
      rmSync(temporary, {force: true});
    } catch {
      // The folder itself is out of reach: there is nothing to remove.
    }
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

/** Writes a JSON value with the hash of its text on the first line: damage must never pass for a record. */
export function writeCacheJson(path: string, value: object): boolean {
  const text = JSON.stringify(value);
  return writeCacheFile(path, `${sha256(text)}\n${text}`);
}

/** The value of `writeCacheJson`; undefined when there is none or it is damaged. */
export function readCacheJson(path: string): unknown {
  const file = readCacheFile(path);
  const end = file?.indexOf('\n') ?? -1;
  if (file === undefined || end < 0) return undefined;
  const text = file.slice(end + 1);
  return sha256(text) === file.slice(0, end) ? (JSON.parse(text) as unknown) : undefined;
}
