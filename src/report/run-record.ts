import {sha256} from '../core/digest.ts';
import type {Event, NodeFinished, NodeLog, RunFinished, RunStarted} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Outcome} from '../core/plan.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import type {Artifact} from '../core/tree.ts';
import type {Reporter} from './reporter.ts';

/** Writes into one run's folder. Paths are relative, with forward slashes; folders on the way are made. May throw. */
export interface RunFiles {
  /** Puts a whole file in place at once. */
  write(path: string, text: string): void;
  append(path: string, text: string): void;
}

/** What a run record says besides its events. */
export interface RunFacts {
  readonly command: readonly string[];
  readonly seed: number;
  readonly host: string;
  /** Name to version: mixdown, node. */
  readonly versions: Readonly<Record<string, string>>;
  /** Tensor engines that nodes of the plan compute with: versions of the packages of each that is known to work here. */
  readonly engines: Readonly<Partial<Record<EngineName, Readonly<Record<string, string>>>>>;
  /** What it ran on, name to text: system, processor, memory. */
  readonly machine: Readonly<Record<string, string>>;
}

/** `runs/<id>/run.json`. While the run goes on, and after a crash, `outcome` is `running` and `nodes` is empty. */
export interface RunRecord extends Omit<RunFacts, 'engines' | 'machine'> {
  readonly type: 'run/1';
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly outcome: 'running' | RunFinished['outcome'];
  readonly wallMs?: number;
  readonly counts?: Readonly<Record<Outcome, number>>;
  readonly recheck?: RunFinished['recheck'];
  readonly targets: readonly NodeId[];
  readonly jobs: number;
  readonly nodes: Readonly<Record<NodeId, RunRecordNode>>;
  /** Absent in records of versions that knew one engine only. */
  readonly engines?: RunFacts['engines'];
  /** Absent in older records. */
  readonly machine?: RunFacts['machine'];
}

export interface RunRecordNode {
  readonly outcome: Outcome;
  readonly wallMs: number;
  readonly fingerprint?: string;
  readonly device?: string;
  /** Class of the tensor engine that it computed with, if it did. */
  readonly engine?: EngineName;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, Artifact>>;
  readonly unchanged?: true;
  readonly slices?: NodeFinished['slices'];
  readonly failure?: Failure;
  /** Path of its log inside the run's folder. */
  readonly log?: string;
}

export interface RecordOptions {
  readonly facts: RunFacts;
  /** Called once, with the run's id, before the first write. */
  readonly open: (runId: string) => RunFiles;
  /** Told once when the record cannot be written; the run goes on without it. */
  readonly onProblem: (error: unknown) => void;
}

/** Bytes of events and logs that may wait in memory. */
const bufferBytes = 64 * 1024;

/** Keeps a run under `runs/`: run.json, plan.json, events.ndjson and a log per node that printed something. */
export function runRecorder(options: RecordOptions): Reporter {
  let record: Recorder | undefined;
  let broken = false;
  const guarded = (work: () => void): void => {
    if (broken) return;
    try {
      work();
    } catch (error) {
      broken = true;
      options.onProblem(error);
    }
  };
  return {
    emit(event) {
      guarded(() => {
        if (event.type === 'run-started') record = new Recorder(event, options);
        record?.take(event);
      });
    },
    close: () => guarded(() => record?.flush()),
  };
}

class Recorder {
  readonly #started: RunStarted;
  readonly #facts: RunFacts;
  readonly #files: RunFiles;
  readonly #nodes = new Map<NodeId, RunRecordNode>();
  readonly #logged = new Set<NodeId>();
  readonly #waiting = new Map<string, string[]>();
  #waitingBytes = 0;

  constructor(started: RunStarted, {facts, open}: RecordOptions) {
    this.#started = started;
    this.#facts = facts;
    this.#files = open(started.runId);
    this.#files.write('run.json', jsonText(this.#record(undefined)));
  }

  take(event: Event): void {
    this.#append('events.ndjson', `${JSON.stringify(event)}\n`);
    switch (event.type) {
      case 'run-planned':
        this.#files.write('plan.json', jsonText(planRecord(this.#started, event)));
        return;
      case 'node-log':
        this.#log(event);
        return;
      case 'node-finished':
        this.#nodes.set(event.node, this.#node(event));
        this.flush();
        return;
      case 'run-finished':
        this.flush();
        this.#files.write('run.json', jsonText(this.#record(event)));
        return;
      default:
    }
  }

  flush(): void {
    for (const [path, texts] of this.#waiting) this.#files.append(path, texts.join(''));
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  #append(path: string, text: string): void {
    const texts = this.#waiting.get(path);
    if (texts) texts.push(text);
    else this.#waiting.set(path, [text]);
    this.#waitingBytes += text.length;
    if (this.#waitingBytes > bufferBytes) this.flush();
  }

  #log({node, slice, text}: NodeLog): void {
    this.#logged.add(node);
    const lines = text.replace(/\n$/, '').split('\n');
    const body = slice === undefined ? lines : lines.map((line) => `${slice} | ${line}`);
    this.#append(logPath(node), `${body.join('\n')}\n`);
  }

  #node(event: NodeFinished): RunRecordNode {
    const {type: _, at: __, node, ...rest} = event;
    return {...rest, ...(this.#logged.has(node) ? {log: logPath(node)} : {})};
  }

  #record(finished: RunFinished | undefined): RunRecord {
    const {runId, at, targets, jobs} = this.#started;
    return {
      type: 'run/1',
      id: runId,
      startedAt: new Date(at).toISOString(),
      ...(finished ? {finishedAt: new Date(finished.at).toISOString()} : {}),
      outcome: finished?.outcome ?? 'running',
      ...(finished ? {wallMs: finished.wallMs, counts: finished.counts} : {}),
      ...(finished?.recheck ? {recheck: finished.recheck} : {}),
      ...this.#facts,
      targets,
      jobs,
      nodes: Object.fromEntries(this.#nodes),
    };
  }
}

/** `runs/<id>/plan.json`: what was going to happen. */
function planRecord(started: RunStarted, planned: Extract<Event, {type: 'run-planned'}>): object {
  const {counts, nodes, expectedMs} = planned;
  return {
    type: 'plan/1',
    id: started.runId,
    targets: started.targets,
    counts,
    ...(expectedMs === undefined ? {} : {expectedMs}),
    nodes,
  };
}

/** Where a node's log lies inside its run's folder. The name is the node's id where a file can be called so. */
export function logPath(node: NodeId): string {
  const safe = node.replaceAll(/[^\w.,=+@[\]-]/g, '_').slice(0, 120);
  return `logs/${safe === node ? node : `${safe}-${sha256(node).slice(0, 8)}`}.log`;
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
