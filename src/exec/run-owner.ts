import {readFileSync} from 'node:fs';
import {mkdir, readdir, rename, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {recordedGroup, type GroupRecord} from './group-record.ts';
import {
  environmentOf,
  groupMembers,
  identify,
  isAlive,
  processHost,
  readStat,
  signalGroup,
  type ProcessIdentity,
} from './process-tree.ts';
import {removeTree} from './remove-tree.ts';

/** Whose run a folder of job folders belongs to. */
interface Owner extends ProcessIdentity {
  readonly host: string;
}

const ownerFile = 'owner.json';

/** Names of folders that are being made or removed start so; nobody works in them. */
const newPrefix = '.new-';
const sweepPrefix = '.sweep-';

/** A folder without an owner of this host is left alone for so long after its last change, in milliseconds. */
const foreignPatienceMs = 30 * 24 * 3_600_000;
const newPatienceMs = 3_600_000;

/** Makes the run's folder; it appears together with its owner, so that no other run takes it for abandoned. */
export async function createRunFolder(dir: string, runId: string): Promise<string> {
  const fresh = join(dir, `${newPrefix}${runId}`);
  await mkdir(fresh, {recursive: true});
  const owner: Owner = {...identify(process.pid), host: processHost()};
  const folder = join(dir, runId);
  try {
    await writeFile(join(fresh, ownerFile), JSON.stringify(owner));
    await rename(fresh, folder);
  } catch (error) {
    // On a full disk every attempt would leave one more.
    await removeTree(fresh).catch(() => {});
    throw error;
  }
  return folder;
}

/**
 * Removes the folders of runs that ended without cleaning up, after killing the programs that still work in them.
 * Several runs may sweep at once: a folder belongs to whoever renames it.
 */
export async function sweepDeadRuns(dir: string): Promise<void> {
  const names = await readdir(dir).catch(() => []);
  for (const name of names) {
    const folder = join(dir, name);
    if (name.startsWith(sweepPrefix)) {
      await removeTree(folder);
    } else if (await isAbandoned(folder, name)) {
      await killOrphans(folder);
      const grave = join(dir, `${sweepPrefix}${process.pid}-${name}`);
      const taken = await rename(folder, grave).then(
        () => true,
        () => false,
      );
      if (taken) await removeTree(grave);
    }
  }
}

async function isAbandoned(folder: string, name: string): Promise<boolean> {
  const owner = readOwner(folder);
  if (owner?.host === processHost()) return !isAlive(owner);
  const patience = name.startsWith(newPrefix) ? newPatienceMs : foreignPatienceMs;
  const changed = await stat(folder).catch(() => undefined);
  return changed !== undefined && Date.now() - changed.mtimeMs > patience;
}

function readOwner(folder: string): Owner | undefined {
  try {
    const value = JSON.parse(readFileSync(join(folder, ownerFile), 'utf8')) as Partial<Owner>;
    return typeof value.pid === 'number' && typeof value.host === 'string' ? (value as Owner) : undefined;
  } catch {
    return undefined;
  }
}

async function killOrphans(runFolder: string): Promise<void> {
  if (readOwner(runFolder)?.host !== processHost()) return;
  for (const name of await readdir(runFolder).catch(() => [])) {
    const folder = join(runFolder, name);
    const group = recordedGroup(folder);
    if (group && isStillOurs(group, folder)) signalGroup(group.pgid, 'SIGKILL');
  }
}

/**
 * Whether the process group is the one that was started for the folder. Its leader is known by its start time. When
 * only other members are left, one of them must still have the folder in its environment.
 */
function isStillOurs({pgid, processStart}: GroupRecord, folder: string): boolean {
  const leader = readStat(pgid);
  if (leader && leader.state !== 'Z') return processStart !== undefined && leader.start === processStart;
  const variable = `TMPDIR=${join(folder, 'tmp')}`;
  return groupMembers(pgid).some((pid) => environmentOf(pid).includes(variable));
}
