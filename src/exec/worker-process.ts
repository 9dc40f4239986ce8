import {spawn, type ChildProcess} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import type {Readable} from 'node:stream';
import type {Guardian} from './guardian.ts';
import {createLineReader} from './line-reader.ts';
import {signalGroup} from './process-tree.ts';
import type {Answer, Order, Reply, StageJob} from './protocol.ts';
import type {StopReason} from './stopper.ts';

export interface WorkerOptions {
  readonly nodePath: string;
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly guardian: Guardian;
}

/** Where the text and the progress of a running job go. */
export interface JobSink {
  lines(stream: 'stdout' | 'stderr' | 'log', text: string): void;
  progress(fraction: number, message?: string): void;
}

/** How a job on a worker ended. */
export type JobEnd =
  | {readonly how: 'answered'; readonly answer: Answer}
  | {readonly how: 'exited'; readonly code: number | null; readonly signal: NodeJS.Signals | null}
  | {readonly how: 'unstartable'; readonly error: Error};

interface Running {
  readonly id: number;
  readonly sink: JobSink;
  readonly settle: (end: JobEnd) => void;
  /** Output streams whose text is not complete. */
  readonly open: Set<'stdout' | 'stderr'>;
  answer?: Answer;
}

/** A process that stays warm between jobs and leads a process group of its own. It runs one job at a time. */
export class WorkerProcess {
  /** Settles when the process and its output streams have ended. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #guardian: Guardian;
  #running: Running | undefined;
  #jobs = 0;
  #dead = false;

  constructor({nodePath, entry, env, guardian}: WorkerOptions) {
    const token = randomUUID();
    this.#guardian = guardian;
    this.#child = spawn(nodePath, ['--enable-source-maps', entry, token], {
      cwd: '/',
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (this.#child.pid !== undefined) guardian.watch(this.#child.pid);
    this.#listen('stdout', token);
    this.#listen('stderr', token);
    this.#child.on('message', (reply) => this.#receive(reply as Reply));
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return;
        this.#end({how: 'unstartable', error});
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#afterExit({how: 'exited', code, signal}, resolve);
      });
    });
    this.#unref();
  }

  /** Jobs started so far. */
  get jobs(): number {
    return this.#jobs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  run(job: StageJob, sink: JobSink): Promise<JobEnd> {
    const id = ++this.#jobs;
    this.#ref();
    return new Promise((resolve) => {
      const settle = (end: JobEnd): void => {
        this.#running = undefined;
        this.#unref();
        resolve(end);
      };
      this.#running = {id, sink, settle, open: new Set(['stdout', 'stderr'])};
      this.#order({type: 'run', id, job});
    });
  }

  /** Aborts the running job's signal. */
  ask(reason: StopReason): void {
    if (this.#running) this.#order({type: 'abort', id: this.#running.id, reason});
  }

  /** Kills the whole process group; `ended` tells when it is gone. */
  kill(): void {
    if (this.#dead || this.#child.pid === undefined) return;
    this.#ref();
    signalGroup(this.#child.pid, 'SIGKILL');
  }

  #order(order: Order): void {
    // A send to a worker that just died fails; its exit is reported by the exit event.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  #receive(reply: Reply): void {
    const running = this.#running;
    if (!running || reply.id !== running.id) return;
    if (reply.type === 'progress') {
      running.sink.progress(reply.fraction, reply.message);
    } else {
      running.answer = reply.answer;
      this.#settleAnswered();
    }
  }

  /** The answer and the text travel on three channels; the job has ended when all three have said so. */
  #settleAnswered(): void {
    const running = this.#running;
    if (running?.answer && running.open.size === 0) running.settle({how: 'answered', answer: running.answer});
  }

  #listen(name: 'stdout' | 'stderr', token: string): void {
    const stream = this.#child[name];
    if (!stream) return;
    const complete = (): void => {
      this.#running?.open.delete(name);
      this.#settleAnswered();
    };
    const reader = createLineReader(
      {
        lines: (text, marked) => this.#running?.sink.lines(marked ? 'log' : name, text),
        end: (job) => {
          if (job === this.#running?.id) complete();
        },
      },
      token,
    );
    stream.on('data', (chunk: Buffer) => reader.push(chunk));
    stream.on('error', () => {});
    stream.once('close', () => {
      reader.finish();
      complete();
    });
  }

  /** Ends what is left of the group, then waits for the last text; somebody outside the group may hold the streams. */
  #afterExit(end: JobEnd, resolve: () => void): void {
    const {pid} = this.#child;
    this.#dead = true;
    if (pid !== undefined) {
      signalGroup(pid, 'SIGKILL');
      this.#guardian.release(pid);
    }
    const patience = setTimeout(() => {
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, streamPatienceMs);
    this.#child.once('close', () => {
      clearTimeout(patience);
      this.#end(end);
      resolve();
    });
  }

  #end(end: JobEnd): void {
    this.#dead = true;
    this.#running?.settle(end);
  }

  #ref(): void {
    this.#child.ref();
    this.#child.channel?.ref();
    for (const stream of [this.#child.stdout, this.#child.stderr]) asHandle(stream)?.ref?.();
  }

  /** An idle worker does not keep the program alive; it ends with it. */
  #unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr]) asHandle(stream)?.unref?.();
  }
}

/** Time for text that was written before the exit to arrive, in milliseconds. */
const streamPatienceMs = 1000;

function asHandle(stream: Readable | null): {ref?(): void; unref?(): void} | null {
  return stream as {ref?(): void; unref?(): void} | null;
}
