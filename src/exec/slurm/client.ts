import {execFile} from 'node:child_process';
import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {travellingEnvironment, type Environment} from '../environment.ts';
import {parseQueue, queueFormat, type QueueEntry} from './queue.ts';

/** The programs of Slurm. */
export interface SlurmClient {
  /** @returns the job's number */
  submit(args: readonly string[]): Promise<Result<string, SlurmTrouble>>;
  /** All jobs of this user, also those that ended a short while ago. */
  queue(): Promise<Result<ReadonlyMap<string, QueueEntry>, SlurmTrouble>>;
  /** @param signal - to send instead of ending the jobs step by step */
  cancel(ids: readonly string[], signal?: 'KILL'): Promise<SlurmTrouble | undefined>;
  /** One job, or one task of an array; undefined when the controller does not know it. */
  stateOf(id: string): Promise<Result<JobState | undefined, SlurmTrouble>>;
  /** `3:0` for exit code 3; undefined when nothing is known. */
  exitCodeOf(id: string): Promise<string | undefined>;
  /** Tasks that an array may have; 1 where the site allows no arrays. */
  largestArray(): Promise<number>;
}

export interface JobState {
  readonly state: string;
  /** Its first host, by the name that it has in the cluster; empty before it has one. */
  readonly host: string;
}

export interface SlurmTrouble {
  readonly failure: Failure;
  /** The controller did not answer: whether the order was carried out is not known. */
  readonly passing: boolean;
}

const callTimeoutMs = 60_000;
const maxOutputBytes = 256 * 1024 * 1024;
/** Ids on one command line. */
const idsPerCall = 500;

/** What the programs say when the controller is away or overloaded. */
const passingWords =
  /unable to contact slurm controller|timed out|connection refused|connection reset|temporarily unable|zero bytes were transmitted|slurm backup controller|error communicating/i;

export function createSlurmClient(env: Environment): SlurmClient {
  const call = (program: string, args: readonly string[], seen = env): Promise<Result<string, SlurmTrouble>> =>
    new Promise((resolve) => {
      const options = {env: {...seen, LC_ALL: 'C'}, timeout: callTimeoutMs, maxBuffer: maxOutputBytes};
      execFile(program, args, options, (error, stdout, stderr) => {
        resolve(error ? err(troubleOf(program, error, stderr)) : ok(stdout));
      });
    });
  return {
    async submit(args) {
      const said = await call('sbatch', args, submitEnvironment(env));
      if (!said.ok) return said;
      // `--parsable` prints `number` or `number;cluster`, after whatever the site's own wrapper says.
      const id = /(?:^|\n)(\d+)(?:;[^\n]*)?\s*$/.exec(said.value)?.[1];
      if (id !== undefined) return ok(id);
      const message = `sbatch did not say which job it made: ${said.value.trim() || 'nothing'}`;
      return err({failure: failure('job-rejected', message), passing: false});
    },
    async queue() {
      const user = process.getuid?.() ?? process.env['USER'] ?? '';
      const said = await call('squeue', [
        '--noheader',
        '--array',
        '--states=all',
        `--user=${user}`,
        `--format=${queueFormat}`,
      ]);
      return said.ok ? ok(parseQueue(said.value)) : said;
    },
    async cancel(ids, signal) {
      let trouble: SlurmTrouble | undefined;
      for (let at = 0; at < ids.length; at += idsPerCall) {
        const some = ids.slice(at, at + idsPerCall);
        const said = await call('scancel', [
          '--quiet',
          ...(signal === undefined ? [] : ['--full', `--signal=${signal}`]),
          ...some,
        ]);
        if (!said.ok) trouble = said.error;
      }
      return trouble;
    },
    async stateOf(id) {
      const said = await call('squeue', ['--noheader', '--states=all', `--jobs=${id}`, '--format=%T|%N']);
      if (!said.ok) return /invalid job id/i.test(said.error.failure.message) ? ok(undefined) : said;
      const [state = '', host = ''] = said.value.trim().split('|');
      return ok(state === '' ? undefined : {state, host});
    },
    async exitCodeOf(id) {
      const said = await call('scontrol', ['--oneliner', 'show', 'job', id]);
      return said.ok ? /\bExitCode=(\S+)/.exec(said.value)?.[1] : undefined;
    },
    async largestArray() {
      const said = await call('scontrol', ['show', 'config']);
      const size = said.ok ? /^MaxArraySize\s*=\s*(\d+)/m.exec(said.value)?.[1] : undefined;
      return Math.max(1, Number(size ?? 1));
    },
  };
}

/**
 * What `sbatch` sees, and with `--export=ALL` its job. Any other `--export` has Slurm 22 start the user's login shell on the
 * compute node before each job, which takes up to seconds and may fail.
 */
function submitEnvironment(env: Environment): Environment {
  const options = Object.keys(env).filter((name) => /^(SLURM|SBATCH|SPANK|_SLURM_SPANK|MUNGE|KRB5)/.test(name));
  return travellingEnvironment(env, options);
}

function troubleOf(program: string, error: Error & {code?: unknown; killed?: boolean}, stderr: string): SlurmTrouble {
  if (error.code === 'ENOENT') {
    const hint =
      'run on a machine that submits to the cluster, put the folder of Slurm into PATH, or leave --executor out';
    return {failure: failure('no-executor', `the program ${program} was not found`, {hint}), passing: false};
  }
  const words = wordsOf(stderr);
  if (error.killed || passingWords.test(words)) {
    const said = words === '' ? `no answer in ${callTimeoutMs / 1000} s` : words;
    return {
      failure: failure('no-executor', `${program}: ${said}`, {hint: 'ask `sinfo` whether the controller is there'}),
      passing: true,
    };
  }
  const hint = 'change `resources` or `timeout` of the node, or `executors.slurm`, to what the site allows';
  return {failure: failure('job-rejected', `${program}: ${words || error.message}`, {hint}), passing: false};
}

/** What a program complained about, without its name before each line. */
function wordsOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^\w+: (?:error: |fatal: )?/, '').trim());
  return lines.filter((line) => line !== '').join('; ');
}
