import {readFileSync} from 'node:fs';
import {basename, extname, join, resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {parsePins} from '../../pins/pins-text.ts';
import type {Context} from '../context.ts';
import {displayPath, pipelineName, type Project} from '../project.ts';

/** What decides which lock is meant. */
export interface LockWish {
  readonly io: Pick<Context['io'], 'cwd'>;
  readonly globals: Pick<Context['globals'], 'directory' | 'profile' | 'set' | 'lock'>;
}

/**
 * Absolute path of the lock: the one named with --lock, else `mixdown.lock` beside the pipeline, with the names of the
 * profiles in it, and of the pipeline where it is not called pipeline.yaml. Undefined with --set, whose results nobody stands
 * by.
 */
export function pinFileOf({io, globals}: LockWish, {root, file}: Pick<Project, 'root' | 'file'>): string | undefined {
  const {lock, profile, set, directory} = globals;
  if (lock !== undefined) return resolve(io.cwd, directory ?? '.', lock);
  if (set.length > 0) return undefined;
  const own = basename(file) === pipelineName ? [] : [basename(file, extname(file))];
  const profiles = profile.length === 0 ? [] : [profile.join('+').replaceAll(/[/\\\0]/g, '_')];
  return join(root, [...own, 'mixdown', ...profiles, 'lock'].join('.'));
}

/** The pinned results; undefined when there is no lock. */
export function readPins(wish: LockWish, project: Pick<Project, 'root' | 'file'>): Result<Pins | undefined> {
  const path = pinFileOf(wish, project);
  if (path === undefined) return ok(undefined);
  const text = readPinText(path, displayPath(path, wish.io.cwd));
  if (!text.ok) return text;
  return text.value === undefined ? ok(undefined) : parsePins(text.value, displayPath(path, wish.io.cwd));
}

/** The text of a lock; undefined when there is none. @param shown - its path for messages */
export function readPinText(path: string, shown: string): Result<string | undefined> {
  const bytes = readPinBytes(path, shown);
  return bytes.ok ? ok(bytes.value?.toString('utf8')) : bytes;
}

/** The same, for those who only want to know whether it is a text that they know. */
export function readPinBytes(path: string, shown: string): Result<Buffer | undefined> {
  try {
    return ok(readFileSync(path));
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok(undefined);
    return err([failure('lock-invalid', `${shown} cannot be read: ${message}`)]);
  }
}
