import {failure, type Failure} from '../core/failure.ts';
import type {ExecutorName} from '../core/executor.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import type {TensorEngines} from '../core/ports.ts';
import type {Resources} from '../core/resources.ts';
import {stageOn} from '../core/stage-on-engine.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {
  areEnough,
  cpuEngines,
  gpuEngines,
  resourcesFor,
  usesGpu,
  type BrokenEngine,
  type EngineName,
} from '../core/tensor-engine.ts';

/** What a node needs of a tensor engine. */
export interface EngineNeed {
  /** By name; else the best one that works here. */
  readonly wanted?: EngineName;
  readonly resources: Resources;
}

export interface EngineChoice {
  readonly engine: EngineName;
  /** Why it cannot compute here. Looked for only when a node has to run: results that are there need no engine. */
  obstacle(): Promise<Failure | undefined>;
}

/**
 * Decides which engine computes: the one that is wanted; else, for a node that asks for a GPU, the first engine for GPUs
 * that works and finds what the node asks for; else the first for the CPU that works. Of these only as many are tried as
 * are needed.
 */
export async function chooseEngine({wanted, resources}: EngineNeed, engines: TensorEngines): Promise<EngineChoice> {
  if (wanted !== undefined) return {engine: wanted, obstacle: () => obstacleTo(wanted, resources, engines)};
  const reasons: string[] = [];
  if (resources.gpu > 0) {
    for (const engine of gpuEngines) {
      const trouble = await gpuTrouble(engine, resources, engines);
      if (trouble === undefined) return {engine, obstacle: () => Promise.resolve(undefined)};
      reasons.push(`${engine}: ${trouble}`);
    }
    if (resources.whenNoGpu === 'fail') {
      const [engine] = gpuEngines as [EngineName];
      const message = `needs ${resources.gpu} GPU, and no tensor engine can use one here (${reasons.join('; ')})`;
      const hint = 'set resources.whenNoGpu: cpu to fall back to the CPU, or see `mixdown devices`';
      return {engine, obstacle: () => Promise.resolve(failure('no-device', message, {hint}))};
    }
  }
  for (const engine of cpuEngines) {
    const check = await engines.check(engine);
    if (check.works) return {engine, obstacle: () => Promise.resolve(undefined)};
    reasons.push(`${engine}: ${check.reason}`);
  }
  const message = `no tensor engine works on this machine (${reasons.join('; ')})`;
  const hint = 'install the packages again (npm ci), then look at `mixdown devices --refresh`';
  return {engine: 'cpu', obstacle: () => Promise.resolve(failure('no-engine', message, {hint}))};
}

/** Why an engine is not the one to choose for a node that asks for a GPU. */
async function gpuTrouble(
  engine: EngineName,
  resources: Resources,
  engines: TensorEngines,
): Promise<string | undefined> {
  const check = await engines.check(engine);
  if (!check.works) return check.reason;
  if (check.software) return `${check.adapter ?? 'its adapter'} is a program, not a GPU`;
  return shortageOf(engine, resources, engines);
}

/** Why there are not the devices that a node needs on an engine for GPUs. */
async function shortageOf(
  engine: EngineName,
  resources: Resources,
  engines: TensorEngines,
): Promise<string | undefined> {
  const needed = resourcesFor(resources, engine);
  const devices = await engines.devices(engine);
  if (areEnough(devices, needed)) return undefined;
  const memory = needed.gpuMemoryMiB === undefined ? '' : ` with ${needed.gpuMemoryMiB} MiB`;
  const found = devices.map(({name, memoryMiB}) => `${name} (${memoryMiB} MiB)`).join(', ');
  return `needs ${needed.gpu} GPU${memory}, finds ${found || 'none'}`;
}

/** Why an engine that is wanted by name cannot compute. */
async function obstacleTo(
  engine: EngineName,
  resources: Resources,
  engines: TensorEngines,
): Promise<Failure | undefined> {
  const check = await engines.check(engine);
  if (!check.works) return brokenFailure(engine, check);
  const shortage = usesGpu(engine) ? await shortageOf(engine, resources, engines) : undefined;
  if (shortage === undefined) return undefined;
  const hint = 'run `mixdown devices` to see what is found';
  return failure('no-device', `tensor engine ${engine} ${shortage}`, {hint});
}

function brokenFailure(engine: EngineName, {reason, hint}: BrokenEngine): Failure {
  return failure('no-engine', `tensor engine ${engine} cannot be used here: ${reason}`, {
    hint: hint ?? "choose another with --engine or the node's `engine`; `mixdown devices` lists them",
  });
}

/** The engines that the nodes of a plan compute with, decided once: the plan and its execution ask the same object. */
export class ChosenEngines {
  readonly #choices = new Map<NodeId, EngineChoice>();
  readonly #stages = new Map<string, StageDeclaration>();
  readonly #declared: Readonly<Record<string, StageDeclaration>>;

  private constructor(declared: Readonly<Record<string, StageDeclaration>>) {
    this.#declared = declared;
  }

  /**
   * @param wanted - for all nodes, whatever they say themselves
   * @param executor - likewise; what a cluster has cannot be tried from here, so an engine named for it is taken at its word
   */
  static async choose(
    nodes: readonly PipelineNode[],
    declared: Readonly<Record<string, StageDeclaration>>,
    engines: TensorEngines,
    wanted: EngineName | undefined,
    executor?: ExecutorName,
  ): Promise<ChosenEngines> {
    const chosen = new ChosenEngines(declared);
    const known = new Map<string, EngineChoice>();
    for (const {id, stage, engine, resources, executor: own = 'local'} of nodes) {
      if (declared[stage]?.numericBackend !== true) continue;
      const name = wanted ?? engine;
      if (name !== undefined && (executor ?? own) !== 'local') {
        chosen.#choices.set(id, {engine: name, obstacle: () => Promise.resolve(undefined)});
        continue;
      }
      const need: EngineNeed = {...(name === undefined ? {} : {wanted: name}), resources};
      const {gpu, gpuMemoryMiB = 0, whenNoGpu} = resources;
      const key = [name, gpu, gpuMemoryMiB, whenNoGpu].join(' ');
      const choice = known.get(key) ?? (await chooseEngine(need, engines));
      known.set(key, choice);
      chosen.#choices.set(id, choice);
    }
    return chosen;
  }

  /** The engine's class; undefined for a node that computes without one. */
  engineOf(node: NodeId): EngineName | undefined {
    return this.#choices.get(node)?.engine;
  }

  /** The node's stage, with the code that counts on its engine. */
  stageOf({id, stage: name}: Pick<PipelineNode, 'id' | 'stage'>): StageDeclaration {
    const declared = this.#declared[name];
    if (!declared) throw new Error(`stage ${name} is not declared`);
    const engine = this.engineOf(id);
    if (engine === undefined) return declared;
    const key = `${engine} ${name}`;
    const stage = this.#stages.get(key) ?? stageOn(declared, engine);
    this.#stages.set(key, stage);
    return stage;
  }

  /** Stages as they run on the engines of this plan. */
  get stages(): readonly StageDeclaration[] {
    return [...this.#stages.values()];
  }

  /** What the node asks for on its engine. */
  resourcesOf({id, resources}: PipelineNode): Resources {
    return resourcesFor(resources, this.engineOf(id));
  }

  async obstacleOf(node: NodeId): Promise<Failure | undefined> {
    return this.#choices.get(node)?.obstacle();
  }
}
