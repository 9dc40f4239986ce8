import {mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {failure, type Failure} from '../core/failure.ts';
import type {JobResult} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {placeInputs} from './command-inputs.ts';
import {commandEnvironment, commandLine, pick, type Environment} from './environment.ts';
import {recordGroup} from './group-record.ts';
import type {Guardian} from './guardian.ts';
import type {JobLog} from './job-log.ts';
import {createLineReader} from './line-reader.ts';
import {checkOutputs} from './outputs.ts';
import {createMemorySampler, type MemorySampler} from './memory-sampler.ts';
import type {Place} from './place-input.ts';
import {readStat, signalGroup} from './process-tree.ts';
import type {CommandJob} from './protocol.ts';
import {stoppedFailure, withLastLines} from './run-failures.ts';
import {watchStop} from './stopper.ts';
import {failureOfThrown} from './thrown.ts';

export interface CommandHost {
  readonly env: Environment;
  readonly place: Place;
  readonly guardian: Guardian;
  readonly log: JobLog;
  /** Called with a function that kills the command's process group as long as it runs. */
  readonly onStart: (kill: () => void) => void;
}

/** Runs a command job in `<folder>/work`, from its inputs to checked outputs. Never throws. */
export async function runCommand(
  job: CommandJob,
  host: CommandHost,
  signal: AbortSignal,
): Promise<Result<JobResult, Failure>> {
  const work = join(job.folder, 'work');
  try {
    await placeInputs(job.inputs, work, host.place, signal);
    prepareFolders(job, work);
  } catch (thrown) {
    return err(failureOfThrown(thrown));
  }
  const startedAt = performance.now();
  const ticksBefore = readStat('self')?.childTicks ?? 0;
  const memory = createMemorySampler();
  const ended = await runProgram(job, work, {...host, memory}, signal);
  if (ended) return err(ended);
  const ticks = (readStat('self')?.childTicks ?? 0) - ticksBefore;
  const wallMs = performance.now() - startedAt;
  const isScratch = await scratchMatcher(job.work.command.scratch);
  const checked = checkOutputs({
    root: work,
    ports: job.outputs,
    allowed: (path) => path in job.inputs || isScratch(path),
    declareHint: 'declare it under `outputs`, or list it under `scratch` when nothing needs it',
    sliced: job.slice !== undefined,
  });
  if (!checked.ok) return checked;
  return ok({
    outputs: checked.value,
    metrics: {},
    wallMs,
    cpuMs: ticks * tickMs,
    maxRssBytes: memory.peakBytes(),
    log: host.log.text(),
  });
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10;

/** Time for text written before the exit to arrive, in milliseconds. */
const streamPatienceMs = 1000;

async function runProgram(
  job: CommandJob,
  work: string,
  host: CommandHost & {readonly memory: MemorySampler},
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const {execa} = await import('execa');
  if (signal.aborted) return stoppedFailure('cancelled', job, host.log);
  const {command} = job.work;
  const [program = '', ...args] = commandLine(command);
  const env = {
    ...commandEnvironment(host.env, job, command, join(job.folder, 'tmp')),
    ...pick(host.env, command.passEnv),
    ...command.env,
  };
  const child = execa(program, args, {
    cwd: work,
    env,
    extendEnv: false,
    detached: true,
    cleanup: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    stripFinalNewline: false,
  });
  const {pid} = child;
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  };
  if (pid !== undefined) {
    host.guardian.watch(pid);
    recordGroup(job.folder, pid);
    host.onStart(kill);
    host.memory.watch(pid);
  }
  const readers = (['stdout', 'stderr'] as const).map((name) => {
    const reader = createLineReader({lines: (text) => host.log.lines(name, text), end: () => {}});
    child[name].on('data', (chunk: Buffer) => reader.push(chunk));
    return reader;
  });
  const stopper = watchStop({
    signal,
    timeoutMs: job.timeoutMs,
    graceMs: job.graceMs,
    ask: () => pid !== undefined && signalGroup(pid, 'SIGTERM'),
    kill,
  });
  let patience: NodeJS.Timeout | undefined;
  child.once('exit', () => {
    // What the program left running in its group would write into a folder that is taken away.
    kill();
    patience = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, streamPatienceMs);
  });
  const result = await child;
  for (const reader of readers) reader.finish();
  clearTimeout(patience);
  host.memory.stop();
  stopper.dispose();
  if (pid !== undefined) host.guardian.release(pid);
  const reason = stopper.reason();
  if (reason) return stoppedFailure(reason, job, host.log);
  if (pid === undefined) return notStarted(program, result.code, result.shortMessage ?? 'unknown error');
  if (result.exitCode === 0) return undefined;
  return withLastLines(programFailure(program, result.exitCode, result.signal), host.log);
}

function prepareFolders(job: CommandJob, work: string): void {
  mkdirSync(join(job.folder, 'tmp'), {recursive: true});
  for (const [port, {kind, name}] of Object.entries(job.outputs)) {
    if (name in job.inputs) throw new Error(`output "${port}" and an input have the same path: ${name}`);
    mkdirSync(kind === 'tree' ? join(work, name) : dirname(join(work, name)), {recursive: true});
  }
}

async function scratchMatcher(patterns: readonly string[]): Promise<(path: string) => boolean> {
  if (patterns.length === 0) return () => false;
  const {default: picomatch} = await import('picomatch');
  return picomatch([...patterns], {dot: true});
}

function notStarted(program: string, code: string | undefined, message: string): Failure {
  if (code === 'ENOENT') {
    return failure('command-not-found', `the program ${program} was not found`, {
      hint: 'install it, put its folder into PATH, or give its path; an input is found as ./NAME',
    });
  }
  if (code === 'EACCES') {
    return failure('command-not-found', `the file ${program} is not executable`, {
      hint: 'inputs are placed without execute permission: name the interpreter first, as in [sh, NAME]',
    });
  }
  return failure('command-failed', `the program ${program} could not be started: ${message}`);
}

function programFailure(program: string, exitCode: number | undefined, signal: NodeJS.Signals | undefined): Failure {
  if (signal === 'SIGKILL') {
    return failure('out-of-memory', `${program} was killed (SIGKILL)`, {
      hint: 'most often the system ran out of memory: give the node more memoryMiB, or run fewer jobs at once',
    });
  }
  if (signal !== undefined) return failure('command-failed', `${program} was ended by ${signal}`);
  const hint = exitCode === 127 ? {hint: 'a shell says 127 when it does not find a program'} : {};
  return failure('command-failed', `${program} ended with exit code ${exitCode}`, hint);
}
