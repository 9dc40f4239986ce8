import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {basename, dirname, join, relative, resolve, sep} from 'node:path';
import {failure, type Failure} from '../../core/failure.ts';
import type {PipelineNode} from '../../core/pipeline.ts';
import type {Cas, JobInput} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {parseTree, type Artifact, type Tree} from '../../core/tree.ts';
import type {Context} from '../context.ts';
import {folderInput} from './folder-input.ts';
import {loadProject, type Loaded} from '../load.ts';
import {planNodes} from '../planning.ts';
import {knownResult, resolveWanted} from '../wanted.ts';

/** A model package that somebody named. */
export interface ModelInput {
  /** Names of the classes that it tells apart. */
  readonly classes: readonly string[];
  /**
   * The package as an input of a job.
   *
   * @param manifest - path for a list of its files; its folder exists
   */
  place(manifest: string): JobInput;
  /** Gives back what keeps the files where they are. */
  close(): void;
}

/** The file that makes a folder a model package. */
const descriptionFile = 'mixdown.json';
const packageType = 'model/1';

/** Finds a package by the path of its folder, or by the node of the project whose last result it is. Runs nothing. */
export async function findModel(context: Context, name: string): Promise<Result<ModelInput>> {
  const path = resolve(context.io.cwd, name);
  const stat = statSync(path, {throwIfNoEntry: false});
  if (stat?.isFile()) {
    if (basename(path) === descriptionFile) return folderModel(name, dirname(path));
    const hint = existsSync(join(dirname(path), descriptionFile)) ? `name its folder: ${dirname(name)}` : exportHint;
    return err([noPackage(`${name} is a file; a model package is a folder with ${descriptionFile} in it`, hint)]);
  }
  if (existsSync(join(path, descriptionFile))) return folderModel(name, path);
  const problem = noPackage(
    stat === undefined ? `there is no folder ${name}` : `${name} is no model package: it has no ${descriptionFile}`,
    innerPackage(name, path) ?? exportHint,
  );
  if (!/^[A-Za-z0-9_]/.test(name) || /^[^[]*[/\\]/.test(name)) return err([problem]);
  const loaded = await loadProject(context);
  if (loaded.ok) return nodeModel(context, loaded.value, name, stat === undefined ? undefined : problem);
  if (loaded.error.some(({code}) => code !== 'pipeline-missing')) return loaded;
  if (stat !== undefined) return err([problem]);
  return err([noPackage(`there is no folder ${name}, and no project here whose node it could be`, exportHint)]);
}

const exportHint = 'stage export-model makes a model package; `mixdown show NODE --to DIR` copies it out';

/** @param otherwise - what to say when there is no such node */
async function nodeModel(
  context: Context,
  loaded: Loaded,
  name: string,
  otherwise: Failure | undefined,
): Promise<Result<ModelInput>> {
  const wanted = resolveWanted(loaded, name, 'predict');
  if (!wanted.ok) {
    const isUnknown = wanted.error.every(({code}) => code === 'unknown-node' || code === 'unknown-target');
    if (!isUnknown) return wanted;
    return err(otherwise === undefined ? wanted.error.map((each) => unknownModel(each, name, loaded)) : [otherwise]);
  }
  const {node, output} = wanted.value;
  // The engine that is asked for is to label with, not to plan with: it would make every result stale.
  const {engine: _, ...plain} = loaded;
  const work = await planNodes(context, plain, [node.id]);
  if (!work.ok) return work;
  const {workspace} = work.value;
  const found = await packageOf(node, output, knownResult(node.id, work.value), workspace.store.cas, loaded);
  if (!found.ok) {
    workspace.close();
    return found;
  }
  if (found.value.stale) context.note(`${node.id} is stale; this is its last result`);
  return ok({...found.value, close: () => workspace.close()});
}

async function packageOf(
  node: PipelineNode,
  output: string | undefined,
  known: ReturnType<typeof knownResult>,
  cas: Cas,
  loaded: Loaded,
): Promise<Result<Pick<ModelInput, 'classes' | 'place'> & {readonly stale: boolean}>> {
  const trees = Object.entries(node.outputs).filter(
    ([port, {kind}]) => kind === 'tree' && (output === undefined || port === output),
  );
  if (trees.length === 0 || node.each !== undefined) return err([makesNone(node, loaded)]);
  if (known === undefined) {
    const message = `there is no result of ${node.id} yet`;
    return err([failure('blob-missing', message, {hint: `make it: mixdown run '${node.id}'`})]);
  }
  for (const [port] of trees) {
    const artifact = known.outputs[port];
    const tree = artifact && (await readTree(artifact, cas));
    if (artifact === undefined || tree === undefined || !tree.entries.every(({digest}) => cas.holds(digest))) {
      const message = `the bytes of ${node.id}.${port} are gone from the cache`;
      return err([failure('blob-missing', message, {hint: `make them again: mixdown run '${node.id}'`})]);
    }
    const description = tree.entries.find(({path}) => path === descriptionFile);
    if (description === undefined) continue;
    const classes = readClasses(node.id, cas.pathOf(description.digest));
    if (!classes.ok) return classes;
    const input: JobInput = {
      kind: 'tree',
      manifest: cas.pathOf(artifact.digest),
      base: {in: 'cas', path: cas.dir},
    };
    return ok({classes: classes.value, place: () => input, stale: known.stale});
  }
  return err([makesNone(node, loaded)]);
}

function makesNone({id}: PipelineNode, {graph}: Loaded): Failure {
  const [other] = modelNodes(graph);
  return noPackage(`${id} makes no model package`, other === undefined ? exportHint : `such as ${other}`);
}

function unknownModel({message, hint}: Failure, name: string, {graph}: Loaded): Failure {
  const [other] = modelNodes(graph);
  const told = hint ?? (other === undefined ? exportHint : `such as ${other}`);
  return noPackage(`there is no folder ${name}, and ${message}`, told);
}

/** Nodes that make packages. */
function modelNodes(graph: Loaded['graph']): readonly string[] {
  return graph.nodes.flatMap(({id, stage}) => (stage === 'export-model' ? [id] : []));
}

function folderModel(name: string, folder: string): Result<ModelInput> {
  const classes = readClasses(name, join(folder, descriptionFile));
  if (!classes.ok) return classes;
  const files = readdirSync(folder, {recursive: true, withFileTypes: true}).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const stat = statSync(path, {throwIfNoEntry: false});
    return stat?.isFile() ? [{path: relative(folder, path).split(sep).join('/'), bytes: stat.size}] : [];
  });
  return ok({classes: classes.value, place: (manifest) => folderInput(folder, files, manifest), close: () => {}});
}

/** The stage checks the rest. */
function readClasses(name: string, path: string): Result<readonly string[]> {
  let value: {type?: unknown; classes?: unknown} | null;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as typeof value;
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    return err([noPackage(`${descriptionFile} of ${name} cannot be read: ${why}`, exportHint)]);
  }
  const {type, classes} = value ?? {};
  if (type !== packageType || !Array.isArray(classes) || !classes.every((label) => typeof label === 'string')) {
    const found = typeof type === 'string' ? `is of type \`${type}\`, not` : 'is not of type';
    return err([
      noPackage(`${name} is no model package: its ${descriptionFile} ${found} \`${packageType}\``, exportHint),
    ]);
  }
  return ok(classes);
}

/** A results folder has the package one level down. */
function innerPackage(name: string, path: string): string | undefined {
  const inner = join(path, 'model');
  return existsSync(join(inner, descriptionFile)) ? `there is one in it: ${join(name, 'model')}` : undefined;
}

async function readTree({kind, digest}: Artifact, cas: Cas): Promise<Tree | undefined> {
  const bytes = kind === 'tree' ? await cas.read(digest) : undefined;
  return bytes && parseTree(Buffer.from(bytes).toString('utf8'));
}

function noPackage(message: string, hint: string): Failure {
  return failure('usage', message, {hint});
}
