import {chmod, readdir, rm, rmdir} from 'node:fs/promises';
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

/** Removes the folder of a job whose outputs were moved away: two empty folders, as a rule. Never throws. */
export async function removeJobFolder(folder: string): Promise<void> {
  try {
    await rmdir(join(folder, 'out'));
    await rmdir(folder);
  } catch {
    await removeTree(folder);
  }
}

async function unlock(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, {withFileTypes: true})) {
    if (entry.isDirectory()) await unlock(join(folder, entry.name));
  }
}
