import {lstatSync, readdirSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {compareUtf8} from '../../core/tree.ts';

/** A recording that somebody named, or that lies in a folder they named. */
export interface Recording {
  /** As it was named. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** What was named and is no recording, with the reason. */
export interface NoRecording {
  readonly name: string;
  readonly problem: string;
}

/** Extensions that name sound files, in lower case. What a file is, is told by its content when it is read. */
const extensions =
  'wav wave flac ogg oga opus mp3 mp2 mp1 aif aiff aifc m4a mp4 aac wma amr au snd caf w64 rf64 mka webm'.split(' ');

/**
 * Files as they are named, whatever they are called; of folders, the sound files in them, at any depth, in the order of their
 * paths. Hidden files and folders are left out, and so are links to folders, which may lead in circles.
 */
export function findRecordings(names: readonly string[], cwd: string): readonly (Recording | NoRecording)[] {
  return names.flatMap((name) => {
    const path = resolve(cwd, name);
    let stat;
    try {
      stat = statSync(path);
    } catch (error) {
      return [{name, problem: reasonOf(error)}];
    }
    if (stat.isFile()) return [{name, path, bytes: stat.size}];
    if (!stat.isDirectory()) return [{name, problem: 'it is neither a file nor a folder'}];
    const found = searchFolder(name, path);
    return found.length > 0 ? found : [{name, problem: 'there is no sound file in this folder'}];
  });
}

function searchFolder(name: string, path: string): readonly (Recording | NoRecording)[] {
  let entries;
  try {
    entries = readdirSync(path, {withFileTypes: true});
  } catch (error) {
    return [{name, problem: reasonOf(error)}];
  }
  const found: (Recording | NoRecording)[] = [];
  for (const entry of entries.sort((a, b) => compareUtf8(a.name, b.name))) {
    if (entry.name.startsWith('.')) continue;
    const inner = {name: join(name, entry.name), path: join(path, entry.name)};
    if (entry.isDirectory()) found.push(...searchFolder(inner.name, inner.path));
    else if (isSoundName(entry.name)) found.push(...soundFile(inner));
  }
  return found;
}

function soundFile({name, path}: {readonly name: string; readonly path: string}): readonly (Recording | NoRecording)[] {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return [{name, path, bytes: stat.size}];
    return lstatSync(path).isSymbolicLink() ? [] : [{name, problem: 'it is not a file'}];
  } catch (error) {
    return [{name, problem: reasonOf(error)}];
  }
}

function isSoundName(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return extensions.includes(name.slice(dot + 1).toLowerCase());
}

function reasonOf(error: unknown): string {
  const {code, message} = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read';
    case 'ELOOP':
      return 'its links lead in a circle';
    default:
      return message;
  }
}
