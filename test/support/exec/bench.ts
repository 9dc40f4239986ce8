import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Event} from '../../../src/core/events.ts';
import type {CommandSpec} from '../../../src/core/pipeline.ts';
import type {Job} from '../../../src/core/ports.ts';
import type {Lease} from '../../../src/core/resources.ts';

/** A temporary folder with what a test of running jobs needs. */
export interface Bench {
  readonly dir: string;
  path(name: string): string;
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string;
  /** A stage job on a module with this body; `run` is the text of the function `async run({...})`. */
  stage(run: string, rest?: Partial<Job>, engine?: string): Job;
  command(command: readonly string[] | string, rest?: Partial<Job>, spec?: Partial<CommandSpec>): Job;
  remove(): void;
}

const cpuLease: Lease = {cpu: 1, memoryMiB: 256, gpus: [], device: 'cpu'};

export function createBench(): Bench {
  // The real path: a job's own view of its folder has no symbolic links either.
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'mixdown-exec-')));
  let count = 0;
  const path = (name: string): string => join(dir, name);
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content);
    return path(name);
  };
  const job = (work: Job['work'], rest: Partial<Job>): Job => {
    const folder = path(`job-${++count}`);
    mkdirSync(folder);
    return {
      id: `job-${count}`,
      node: 'node',
      work,
      params: {},
      seed: 0,
      ports: {},
      inputs: {},
      outputs: {},
      folder,
      lease: cpuLease,
      graceMs: 10_000,
      ...rest,
    };
  };
  return {
    dir,
    path,
    write,
    stage(run, rest = {}, engine = '') {
      const module = write(`stage-${++count}.mjs`, moduleText(run));
      return job({type: 'stage', stage: 'fixture', module, engine}, rest);
    },
    command(command, rest = {}, spec = {}) {
      const common = {env: {}, passEnv: [], scratch: []};
      const form =
        typeof command === 'string'
          ? {form: 'shell', shell: ['sh', '-eu'], script: command}
          : {form: 'argv', argv: command};
      return job({type: 'command', command: {...common, ...form, ...spec} as CommandSpec}, rest);
    },
    remove: () => rmSync(dir, {recursive: true, force: true}),
  };
}

/** Collects events; `first(type)` resolves with the first event of the type, whenever it comes. */
export function collectEvents(): {
  readonly events: Event[];
  readonly emit: (event: Event) => void;
  first<T extends Event['type']>(type: T): Promise<Extract<Event, {type: T}>>;
} {
  const events: Event[] = [];
  const waiting: {type: string; resolve: (event: Event) => void}[] = [];
  return {
    events,
    emit(event) {
      events.push(event);
      for (const waiter of waiting) if (waiter.type === event.type) waiter.resolve(event);
    },
    first: (type) =>
      new Promise((resolve) => {
        const seen = events.find((event) => event.type === type);
        if (seen) resolve(seen as never);
        else waiting.push({type, resolve: resolve as (event: Event) => void});
      }),
  };
}

function moduleText(run: string): string {
  return `import * as fs from 'node:fs';
class StageError extends Error { name = 'StageError'; constructor(message, hint) { super(message); this.hint = hint; } }
export default {
  name: 'fixture',
  async run({params, inputs, outputs, seed, threads, device, engine, checkpoint, signal, log, progress, metric}) {
${run}
  },
};
`;
}
