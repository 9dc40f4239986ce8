import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {randomUUID} from 'node:crypto';
import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {namesIn} from '../../store/atomic-file.ts';

/**
 * Puts a lock in place at once: whenever the process is killed, the file is the old one or the new one, and after a power
 * failure too, as its bytes are on the disk before it takes its name. A link leads to the file that is replaced.
 */
export function writePinText(path: string, text: string, shown: string): Result<void> {
  const target = targetOf(path);
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID().slice(0, 8)}.tmp`);
  removeLeftovers(target);
  try {
    // Whoever made the old one read only may have meant it.
    accessSync(existsSync(target) ? target : dirname(target), constants.W_OK);
    const file = openSync(temporary, 'wx', 0o644);
    try {
      fchmodSync(file, modeOf(target));
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
    return ok(undefined);
  } catch (error) {
    rmSync(temporary, {force: true});
    const hint = 'the pins stay as they were; check the folder and the space on its disk, then run again';
    return err([failure('lock-invalid', `${shown} cannot be written: ${(error as Error).message}`, {hint})]);
  }
}

/** What a process that was killed had begun to write. Only the holder of the lock on this file writes it. */
function removeLeftovers(target: string): void {
  for (const name of namesIn(dirname(target))) {
    if (name.startsWith(`.${basename(target)}.`) && name.endsWith('.tmp'))
      rmSync(join(dirname(target), name), {force: true});
  }
}

function modeOf(target: string): number {
  return (statSync(target, {throwIfNoEntry: false})?.mode ?? 0o644) & 0o777;
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
