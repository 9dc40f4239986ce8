import type {ActionResult} from '../../src/core/action.ts';
import {sha256, type Digest, type Sha256} from '../../src/core/digest.ts';
import type {Event} from '../../src/core/events.ts';
import type {ExecutorName} from '../../src/core/executor.ts';
import {failure, type Failure} from '../../src/core/failure.ts';
import {buildGraph} from '../../src/core/graph.ts';
import {canonicalJson} from '../../src/core/json.ts';
import type {Distrusted, Voucher} from '../../src/core/origin.ts';
import type {Pipeline, PipelineNode} from '../../src/core/pipeline.ts';
import type {
  ActionCache,
  Cas,
  Checkpoints,
  Job,
  JobInput,
  JobResult,
  Locks,
  Runner,
  TensorEngines,
} from '../../src/core/ports.ts';
import {defaultResources, type Gpu, type Machine} from '../../src/core/resources.ts';
import {err, ok, type Result} from '../../src/core/result.ts';
import type {StageDeclaration} from '../../src/core/stage.ts';
import type {EngineCheck, EngineName} from '../../src/core/tensor-engine.ts';
import {parseTree, type TreeEntry} from '../../src/core/tree.ts';
import {execute} from '../../src/engine/build.ts';
import {makePlan} from '../../src/engine/plan.ts';
import type {BuildRequest, BuildSummary} from '../../src/engine/run-context.ts';
import type {EnginePorts} from '../../src/engine/workspace.ts';
import {memoryRemote, type MemoryServer} from './memory-remote.ts';
import {
  memoryActions,
  memoryCas,
  memoryCheckpoints,
  memoryDistrust,
  memoryLocks,
  memorySources,
  memoryState,
  type MemoryFiles,
} from './memory-store.ts';

/**
 * What a fake stage makes of its inputs' texts: one text for all outputs, or by output its text, or the texts of a tree's
 * files by path. An output that is not named is left unwritten.
 */
export type Work = (job: FakeJob) => string | Made | Failure;

export type Made = {readonly made: Readonly<Record<string, string | Readonly<Record<string, string>>>>};

export interface FakeJob {
  readonly node: string;
  readonly slice: string | undefined;
  readonly params: Job['params'];
  readonly seed: number;
  /** Tensor engine to compute with; empty for none. */
  readonly engine: string;
  /** Devices leased, empty for the CPU. */
  readonly device: string;
  /** Texts of all inputs, in port order; trees as `path=text` lines. */
  readonly texts: readonly string[];
  /** Folder of the checkpoint, of a resumable stage. */
  readonly checkpoint: string | undefined;
}

/** A node for tests: one output `out`, one file input for each named producer or source (written `@name`). */
export function node(name: string, inputs: readonly string[], rest: Partial<PipelineNode> = {}): PipelineNode {
  const ports: Record<string, PipelineNode['ports'][string]> = {};
  const bindings: Record<string, PipelineNode['inputs'][string]> = {};
  inputs.forEach((input, index) => {
    const port = `in${index}`;
    ports[port] = {kind: 'file'};
    bindings[port] = {many: false, ref: refOf(input)};
  });
  return {
    id: name,
    name,
    variant: {},
    stage: 'work',
    params: {},
    seed: 0,
    inputs: bindings,
    ports,
    outputs: {out: {kind: 'file', name: 'out.txt'}},
    resources: defaultResources,
    retries: 0,
    salt: '',
    ...rest,
  };
}

/** A node that works on each item of a collection; of several, joined, the first leads. */
export function eachNode(
  name: string,
  collection: string | readonly [string, ...string[]],
  rest: Partial<PipelineNode> = {},
): PipelineNode {
  const [leading, ...others] = typeof collection === 'string' ? [collection] : collection;
  const each: PipelineNode['each'] = [
    {port: 'item', collection: refOf(leading)},
    ...others.map((other, index) => ({port: `item${index + 1}`, collection: refOf(other)})),
  ];
  const ports = Object.fromEntries(each.map(({port}) => [port, {kind: 'file'} as const]));
  return node(name, [], {ports, each, ...rest});
}

function refOf(text: string): {from: 'source'; source: string} | {from: 'node'; node: string; output: string} {
  return text.startsWith('@') ? {from: 'source', source: text.slice(1)} : {from: 'node', node: text, output: 'out'};
}

/** What rigs share that act as two runs on one store, in two checkouts. */
export interface SharedStore {
  readonly files: MemoryFiles;
  readonly cas: Cas;
  readonly records: Map<Sha256, ActionResult>;
  readonly actions: ActionCache;
  readonly locks: Locks;
  readonly checkpoints: Checkpoints;
  readonly distrusted: Map<Voucher, Distrusted>;
}

/** The engine on a store in memory, with stages that are functions in the test. */
export class EngineRig {
  readonly root: string;
  readonly events: Event[] = [];
  /** `node` or `node/slice` of every job that was started, in order. */
  readonly ran: string[] = [];
  state = memoryState();
  readonly store: SharedStore;
  nodes: readonly PipelineNode[] = [];
  code = 'v1';
  resumable = false;
  machine: Machine = {cpu: 4, memoryMiB: 1024, gpus: []};
  onFailure: BuildRequest['onFailure'] = 'stop';
  /** The stages depend on the tensor engine. */
  numericBackend = false;
  /** Packages that the stages import. */
  packages: Readonly<Record<string, string>> = {};
  /** Tensor engine for all nodes. */
  engine: EngineName | undefined;
  /** What the engines are found to be; only those of the CPU that need nothing work. */
  findings: Partial<Record<EngineName, EngineCheck>> = {};
  /** The engines that were looked at, in order. */
  readonly checked: EngineName[] = [];
  /** Devices by engine. */
  devices: Partial<Record<EngineName, readonly Gpu[]>> = {};
  readonly engines: TensorEngines = {
    check: async (engine) => {
      if (!this.checked.includes(engine)) this.checked.push(engine);
      return this.findings[engine] ?? {works: false, reason: 'not here'};
    },
    devices: async (engine) => this.devices[engine] ?? [],
  };
  jobs = 4;
  /** Server of a remote cache; each run has its own view of it. */
  server: MemoryServer | undefined;
  /** How others' results are tried. */
  recheck: BuildRequest['recheck'];
  /** Where all nodes run. */
  executor: ExecutorName | undefined;
  cluster: NonNullable<BuildRequest['cluster']> = {slots: 100, batches: 2};
  /** What went to the cluster at once, each time. */
  readonly deliveries: (readonly string[])[] = [];
  /** Whether an earlier run began the job with this id there. */
  holds: (id: string) => boolean = () => false;
  /** The clock: moves on by a millisecond whenever it is read. */
  now = 1_000_000;
  /** Called before a job works; await in it to hold the job. */
  before: (job: FakeJob, signal: AbortSignal) => Promise<void> | void = () => {};
  work: Work = (job) => sha256(canonicalJson([job.params, job.seed, [...job.texts]]));

  /** @param shared - store of another rig, to act as a second run on it from another checkout */
  constructor(shared?: SharedStore) {
    this.root = shared ? '/second' : '/first';
    const files: MemoryFiles = shared?.files ?? new Map();
    const records = new Map<Sha256, ActionResult>();
    const locks = memoryLocks();
    this.store = shared ?? {
      files,
      cas: memoryCas(files),
      records,
      actions: memoryActions(records),
      locks,
      checkpoints: memoryCheckpoints(files, locks),
      distrusted: new Map(),
    };
  }

  write(path: string, text: string): void {
    this.store.files.set(`${this.root}/${path}`, new TextEncoder().encode(text));
  }

  remove(path: string): void {
    this.store.files.delete(`${this.root}/${path}`);
  }

  /** Deletes blobs behind the engine's back. */
  lose(...digests: readonly Digest[]): void {
    for (const digest of digests) this.store.files.delete(this.store.cas.pathOf(digest));
  }

  async build(
    options: {targets?: readonly string[]; force?: readonly string[]; signal?: AbortSignal} = {},
  ): Promise<BuildSummary> {
    const result = await this.tryBuild(options);
    if (!result.ok) throw new Error(result.error.map(({message}) => message).join('\n'));
    return result.value;
  }

  async tryBuild(
    options: {targets?: readonly string[]; force?: readonly string[]; signal?: AbortSignal} = {},
  ): Promise<Result<BuildSummary>> {
    this.ran.length = 0;
    this.events.length = 0;
    const request = this.request(options);
    const planned = await makePlan(request);
    return planned.ok ? ok(await execute(planned.value, request)) : planned;
  }

  async plan(options: {force?: readonly string[]} = {}): Promise<Record<string, string>> {
    const planned = await makePlan(this.request(options));
    if (!planned.ok) throw new Error(planned.error[0]!.message);
    return Object.fromEntries(planned.value.plan.nodes.map(({node: {id}, status}) => [id, status]));
  }

  /** By node, how many of its jobs would go on from a checkpoint. */
  async checkpoints(options: {force?: readonly string[]} = {}): Promise<Record<string, number>> {
    const planned = await makePlan(this.request(options));
    if (!planned.ok) throw new Error(planned.error[0]!.message);
    return Object.fromEntries(
      planned.value.plan.nodes.flatMap(({node: {id}, checkpoints}) =>
        checkpoints === undefined ? [] : [[id, checkpoints]],
      ),
    );
  }

  /** Text of a node's only output after a build. */
  text(summary: BuildSummary, id: string): string {
    const artifact = summary.nodes.get(id)?.outputs?.['out'];
    if (!artifact) throw new Error(`${id} has no output`);
    return this.read(this.store.cas.pathOf(artifact.digest));
  }

  request(options: {targets?: readonly string[]; force?: readonly string[]; signal?: AbortSignal}): BuildRequest {
    const pipeline = this.pipeline();
    const consumed = new Set(
      pipeline.nodes.flatMap((one) =>
        Object.values(one.inputs)
          .flatMap((b) => (b.many ? b.refs : [b.ref]))
          .concat((one.each ?? []).map(({collection}) => collection))
          .map((ref) => (ref.from === 'node' ? ref.node : '')),
      ),
    );
    const targets = options.targets ?? pipeline.nodes.map(({id}) => id).filter((id) => !consumed.has(id));
    return {
      pipeline,
      graph: buildGraph(pipeline.nodes),
      ports: this.ports(),
      toolchain: {node: 'test'},
      engines: this.engines,
      ...(this.engine === undefined ? {} : {engine: this.engine}),
      ...(this.executor === undefined ? {} : {executor: this.executor}),
      cluster: this.cluster,
      ...(this.recheck ? {recheck: this.recheck} : {}),
      targets,
      force: new Set(options.force ?? []),
      runId: 'run-1',
      host: 'test',
      machine: this.machine,
      jobs: this.jobs,
      onFailure: this.onFailure,
      graceMs: 100,
      emit: (event) => this.events.push(event),
      signal: options.signal ?? new AbortController().signal,
    };
  }

  private pipeline(): Pipeline {
    const sources = new Set<string>();
    for (const {inputs, each} of this.nodes) {
      for (const binding of Object.values(inputs)) {
        for (const ref of binding.many ? binding.refs : [binding.ref])
          if (ref.from === 'source') sources.add(ref.source);
      }
      for (const {collection} of each ?? []) if (collection.from === 'source') sources.add(collection.source);
    }
    const manifest = {type: 'code/1', files: {'work.ts': sha256(this.code)}, packages: this.packages} as const;
    const stage: StageDeclaration = {
      name: 'work',
      summary: '',
      params: {},
      inputs: {},
      outputs: {},
      resources: defaultResources,
      numericBackend: this.numericBackend,
      seeded: false,
      deterministic: true,
      ...(this.resumable ? {resumable: true} : {}),
      code: sha256(canonicalJson(manifest)),
      manifest,
    };
    return {
      root: this.root,
      file: `${this.root}/pipeline.yaml`,
      seed: 1,
      nodes: this.nodes,
      sources: Object.fromEntries([...sources].map((name) => [name, {name, path: name, include: [], exclude: []}])),
      stages: {work: stage},
      axes: {},
      targets: {default: []},
    };
  }

  private ports(): EnginePorts {
    const {files, cas, actions, locks, checkpoints, distrusted} = this.store;
    let folders = 0;
    return {
      cas,
      actions,
      locks,
      checkpoints,
      distrust: memoryDistrust(distrusted),
      ...(this.server ? {remote: memoryRemote(this.server, this.store)} : {}),
      sources: memorySources(files, this.root),
      state: this.state,
      runner: this.runner(),
      folders: {
        create: async () => `${this.root}/work/${folders++}`,
        remove: async () => {},
        keep: async (folder) => folder,
      },
      clock: {now: () => this.now++},
      modules: {compile: async (stage) => ok(stage)},
    };
  }

  private runner(): Runner {
    return {
      run: async (job, _emit, signal) => this.runJob(job, signal),
      runAll: (jobs, _emit, signal) => {
        this.deliveries.push(jobs.map(nameOf));
        return jobs.map(async (job) => this.runJob(job, signal));
      },
      holds: async (id) => this.holds(id),
      kill: () => {},
      close: async () => {},
    };
  }

  private async runJob(job: Job, signal: AbortSignal): Promise<Result<JobResult, Failure>> {
    this.ran.push(nameOf(job));
    const texts = Object.keys(job.inputs)
      .sort()
      .map((port) => this.textOf(job.inputs[port]!));
    const {node: id, slice, params, seed, checkpoint} = job;
    const engine = job.work.type === 'stage' ? job.work.engine : '';
    const device = job.lease.gpus.map(({uuid}) => uuid).join('+');
    const fake: FakeJob = {node: id, slice, params, seed, texts, checkpoint, engine, device};
    await this.before(fake, signal);
    if (signal.aborted) return err(failure('cancelled', `${job.node} was stopped`));
    const made = this.work(fake);
    if (typeof made !== 'string' && 'code' in made) return err(made);
    const outputs: Record<string, string> = {};
    for (const [name, port] of Object.entries(job.outputs)) {
      const content = typeof made === 'string' ? made : made.made[name];
      if (content === undefined) continue;
      const path = `${job.folder}/out/${port.name}`;
      outputs[name] = path;
      const files = typeof content === 'string' ? {[path]: content} : below(path, content);
      for (const [file, text] of Object.entries(files)) this.store.files.set(file, new TextEncoder().encode(text));
    }
    const metrics = typeof made === 'string' ? {length: made.length} : {};
    return ok({outputs, metrics, wallMs: 1, cpuMs: 1, maxRssBytes: 1, log: ''});
  }

  private textOf(input: JobInput): string {
    switch (input.kind) {
      case 'file':
        return this.read(input.path);
      case 'many':
        return input.items.map((item) => this.textOf(item)).join('|');
      case 'tree': {
        const {base} = input;
        const {entries} = parseTree(this.read(input.manifest))!;
        const fileOf = ({path, digest}: TreeEntry): string =>
          base.in === 'folder' ? `${base.path}/${path}` : this.store.cas.pathOf(digest);
        return entries.map((entry) => `${entry.path}=${sha256(this.read(fileOf(entry)))}`).join('\n');
      }
    }
  }

  private read(path: string): string {
    const bytes = this.store.files.get(path);
    if (!bytes) throw new Error(`${path} does not exist`);
    return new TextDecoder().decode(bytes);
  }
}

function nameOf({node: id, slice}: Job): string {
  return slice === undefined ? id : `${id}/${slice}`;
}

function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}
