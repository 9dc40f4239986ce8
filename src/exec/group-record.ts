import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {identify} from './process-tree.ts';

/** A process group and the start time of its leader, see `ProcessIdentity`. */
export interface GroupRecord {
  readonly pgid: number;
  readonly processStart?: string;
}

const pidFile = 'pid.json';

/** Notes in the job's folder which process group works in it, so that a later run can end it. */
export function recordGroup(folder: string, pgid: number): void {
  const {processStart} = identify(pgid);
  try {
    writeFileSync(join(folder, pidFile), JSON.stringify({pgid, processStart}));
  } catch {
    // Only a later clean-up after a crash reads it.
  }
}

/** The process group that a job's folder belongs to; undefined when none was recorded. */
export function recordedGroup(folder: string): GroupRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(join(folder, pidFile), 'utf8')) as {pgid?: unknown; processStart?: unknown};
    if (typeof value.pgid !== 'number' || value.pgid <= 1) return undefined;
    return typeof value.processStart === 'string'
      ? {pgid: value.pgid, processStart: value.processStart}
      : {pgid: value.pgid};
  } catch {
    return undefined;
  }
}
