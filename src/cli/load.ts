import {failure, type Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import {select} from '../core/selection.ts';
import type {StageDeclaration} from '../core/stage.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import {loadPipeline, type LoadedPipeline} from '../config/load-pipeline.ts';
import type {Globals} from './context.ts';
import type {EnginesOptions, MachineEngines} from './engines/machine-engines.ts';
import {packageRoot} from './package.ts';
import {findProject, type Project, type ProjectWish} from './project.ts';

/** A pipeline that was found, read, checked and expanded. */
export interface Loaded extends LoadedPipeline {
  readonly project: Project;
  readonly engines: MachineEngines;
  /** Tensor engine for all nodes that compute with one. */
  readonly engine?: EngineName;
}

/** Which pipeline, with which profiles and variables. */
export interface PipelineWish extends ProjectWish {
  readonly globals: ProjectWish['globals'] & Pick<Globals, 'profile' | 'set' | 'engine'>;
  /** Told why the first plan on a machine takes longer. */
  readonly note?: (text: string) => void;
}

export async function loadProject(wish: PipelineWish): Promise<Result<Loaded>> {
  const found = findProject(wish);
  if (!found.ok) return found;
  const project = found.value;
  const {root, file, cacheDir} = project;
  const {profile: profiles, set: overrides, engine} = wish.globals;
  const loaded = await loadPipeline({root, file, cacheDir, packageRoot, profiles, overrides});
  if (!loaded.ok) return loaded;
  const onCheck = (name: EngineName): void => wish.note?.(`trying the tensor engine ${name}, once on this machine`);
  const engines = lazyEngines({cacheDir, env: wish.io.env, onCheck});
  return ok({...loaded.value, project, engines, ...(engine === undefined ? {} : {engine})});
}

/** The nodes that the patterns name; without patterns the default target group, or all nodes. */
export function selectNodes(
  {pipeline, graph}: Loaded,
  patterns: readonly string[],
  otherwise: 'default' | 'all',
): Result<readonly NodeId[]> {
  if (patterns.length > 0) return select(pipeline, graph, patterns);
  return ok(otherwise === 'all' ? pipeline.nodes.map(({id}) => id) : (pipeline.targets['default'] ?? []));
}

/** Every stage that the project can use, in the order of names, and what is wrong with those that cannot be loaded. */
export async function loadAllStages(
  wish: ProjectWish,
): Promise<Result<{readonly stages: readonly StageDeclaration[]; readonly failures: readonly Failure[]}>> {
  const found = findProject(wish);
  if (!found.ok) return found;
  const {root, cacheDir} = found.value;
  const [{readCatalog}, {StageLoader}] = await Promise.all([
    import('../config/stage-catalog.ts'),
    import('../config/stage-loader.ts'),
  ]);
  const catalog = readCatalog(root, packageRoot);
  const loader = new StageLoader(catalog, cacheDir, packageRoot);
  const loaded = await Promise.all([...catalog.stages.keys()].map((name) => loader.load(name)));
  const stages: StageDeclaration[] = [];
  const failures: Failure[] = [];
  for (const result of loaded) {
    if (result.ok) stages.push(result.value);
    else for (const {code, message, hint} of result.error) failures.push(failure(code, message, hint ? {hint} : {}));
  }
  if (stages.length === 0 && failures.length > 0) return err(failures);
  return ok({stages, failures});
}

/** Loads what knows the engines when somebody asks: most pipelines compute without. */
function lazyEngines(options: EnginesOptions): MachineEngines {
  let opened: Promise<MachineEngines> | undefined;
  const open = async (): Promise<MachineEngines> => (await import('./engines/machine-engines.ts')).openEngines(options);
  const engines = (): Promise<MachineEngines> => (opened ??= open());
  return {
    check: async (engine) => (await engines()).check(engine),
    devices: async (engine) => (await engines()).devices(engine),
    learn: async (found) => (await engines()).learn(found),
  };
}
