import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';

/** A process that can be recognised later: its id may be reused, its id and start time together are not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started; absent where the system does not tell (no /proc). */
  readonly processStart?: string;
}

/** Fields of /proc/PID/stat that this layer needs. */
export interface ProcessStat {
  readonly state: string;
  readonly group: number;
  /** Clock ticks since boot. */
  readonly start: string;
  /** CPU time of children that ended and were waited for, in clock ticks of 10 ms. */
  readonly childTicks: number;
}

export function identify(pid: number): ProcessIdentity {
  const start = readStat(pid)?.start;
  return start === undefined ? {pid} : {pid, processStart: start};
}

/** True while exactly this process runs. A zombie does not run. */
export function isAlive({pid, processStart}: ProcessIdentity): boolean {
  const stat = readStat(pid);
  if (stat) return stat.state !== 'Z' && (processStart === undefined || stat.start === processStart);
  return processStart === undefined && signalProcess(pid, 0);
}

/** Sends the signal to every process of the group; false when there is none left. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  return signalProcess(-group, signal);
}

/** Ids of the processes in the group, from /proc; empty where there is none. */
export function groupMembers(group: number): readonly number[] {
  const pids = listProc().filter((pid) => {
    const stat = readStat(pid);
    return stat?.group === group && stat.state !== 'Z';
  });
  return pids;
}

/** Environment of a process as `NAME=value` lines; empty when it is gone or belongs to somebody else. */
export function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Names the set of processes that ids here refer to: the host and, in a container, its process namespace. */
export function processHost(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

export function readStat(pid: number | 'self'): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads one line of /proc/PID/stat. The command name may hold spaces and parentheses, so fields count from its end. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const start = fields[19];
  if (state === undefined || group === undefined || start === undefined) return undefined;
  return {state, group: Number(group), start, childTicks: Number(fields[13]) + Number(fields[14])};
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function listProc(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
