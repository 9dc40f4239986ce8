import {readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';

/** Tells one process from all others, also from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Host name and, where there is one, machine id. */
  readonly host: string;
  /** Clock ticks from boot to the start of the process; absent where the system does not tell. */
  readonly processStart?: string;
  /** Differs after every restart of the machine; absent where the system does not tell. */
  readonly boot?: string;
  /** Pids mean something only inside it: two containers may share a host name. */
  readonly pidNamespace?: string;
}

/** The identity of the running process. Reads five small files on Linux. */
export function thisProcess(): ProcessIdentity {
  const machine = tryRead(() => readFileSync('/etc/machine-id', 'utf8').trim());
  const processStart = processStat(process.pid)?.start;
  const boot = tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pidNamespace = tryRead(() => readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    host: machine ? `${hostname()}/${machine}` : hostname(),
    ...(processStart ? {processStart} : {}),
    ...(boot ? {boot} : {}),
    ...(pidNamespace ? {pidNamespace} : {}),
  };
}

/** Whether another process still lives, as far as `self` can tell: not across hosts or containers. */
export function liveness(other: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (other.host !== self.host) return 'unknown';
  if (other.boot !== self.boot) return 'dead';
  if (other.pidNamespace !== self.pidNamespace) return 'unknown';
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const now = processStat(other.pid);
  if (now === undefined) return 'alive';
  // A zombie runs no more code; its parent merely has not collected it.
  if (now.state === 'Z' || now.state === 'X') return 'dead';
  return other.processStart === undefined || now.start === other.processStart ? 'alive' : 'dead';
}

/** Reads an identity from parsed JSON; undefined when it is none. */
export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const {pid, host, processStart, boot, pidNamespace} = value as Record<string, unknown>;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0 || typeof host !== 'string') return undefined;
  return {
    pid,
    host,
    ...(typeof processStart === 'string' ? {processStart} : {}),
    ...(typeof boot === 'string' ? {boot} : {}),
    ...(typeof pidNamespace === 'string' ? {pidNamespace} : {}),
  };
}

/** State and start time of a process: fields 3 and 22 of /proc/<pid>/stat, counted after the name in parentheses. */
function processStat(pid: number): {readonly state: string; readonly start: string} | undefined {
  const text = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (!text) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const start = fields[19];
  return state && start ? {state, start} : undefined;
}

function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
