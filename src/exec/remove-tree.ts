import {lstatSync, readdirSync} from 'node:fs';
import {chmod, readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';

/** Removes a folder with everything in it, also folders without write permission. Never throws. */
export async function removeTree(folder: string): Promise<void> {
  const options = {recursive: true, force: true, maxRetries: 3};
  try {
    await rm(folder, options);
  } catch {
    await unlock(folder).catch(() => {});
    await rm(folder, options).catch(() => {});
  }
}

/** Whether a job's folder holds nothing but an empty `out`: its outputs were moved away, and another job may have it. */
export function isSpent(folder: string): boolean {
  const out = join(folder, 'out');
  try {
    const [only, ...others] = readdirSync(folder);
    return only === 'out' && others.length === 0 && readdirSync(out).length === 0 && isOpen(folder) && isOpen(out);
  } catch {
    return false;
  }
}

function isOpen(folder: string): boolean {
  const stat = lstatSync(folder);
  return stat.isDirectory() && (stat.mode & 0o700) === 0o700;
}

async function unlock(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, {withFileTypes: true})) {
    if (entry.isDirectory()) await unlock(join(folder, entry.name));
  }
}
