import {readFileSync} from 'node:fs';
import {relative, sep} from 'node:path';
import {sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {buildGraph, type Graph} from '../core/graph.ts';
import {canonicalJson, isObject, type JsonObject} from '../core/json.ts';
import {findLeaks, type AcceptedLeak} from '../core/leaks.ts';
import type {Pipeline} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {
  cacheDocument,
  documentHash,
  paramsKnownGood,
  readCachedDocument,
  rememberGoodParams,
} from './document-cache.ts';
import {readDocumentSchema, validateDocument} from './document-schema.ts';
import type {LoadedDocument, PipelineDocument, Span} from './document.ts';
import {documentPaths} from './documents.ts';
import {expand, stageNames} from './expand.ts';
import {reportLeaks} from './leaks.ts';
import {applyOverrides} from './override.ts';
import {createParamChecker} from './param-checker.ts';
import {Problems} from './problem.ts';
import {reportProblems} from './report.ts';
import {readCatalog} from './stage-catalog.ts';
import {salvage} from './salvage.ts';
import {StageLoader, type StageModules} from './stage-loader.ts';
import {Variables} from './variables.ts';
import {parseYaml, type YamlText} from './yaml-text.ts';

export type {StageModules} from './stage-loader.ts';

export interface LoadOptions {
  /** Absolute project folder. */
  readonly root: string;
  /** Absolute path of pipeline.yaml. */
  readonly file: string;
  /** Applied in this order, before the overrides. */
  readonly profiles: readonly string[];
  /** `a.b=JSON`, as `--set` takes them. */
  readonly overrides: readonly string[];
  readonly cacheDir: string;
  /** mixdown's own installation: its stages/ follow those of the project. */
  readonly packageRoot: string;
}

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
  /** Leaks that nodes say are right, as far as something reads through them. */
  readonly acceptedLeaks: readonly AcceptedLeak[];
  readonly modules: StageModules;
  /** The remote cache as the file describes it. */
  readonly remote?: JsonObject;
}

/** Larger files are taken for a mistake. */
const sizeLimitBytes = 64 * 1024 * 1024;

/**
 * Reads, checks and expands pipeline.yaml. Every problem of the file is reported at once, each with its place, excerpt
 * and hint. An unchanged file with unchanged stages loads neither the YAML package, Ajv, esbuild nor a stage.
 */
export async function loadPipeline(options: LoadOptions): Promise<Result<LoadedPipeline>> {
  const {root, file, cacheDir, packageRoot, profiles, overrides} = options;
  const shownFile = relative(root, file).split(sep).join('/');
  const read = readText(file, shownFile);
  if (!read.ok) return read;
  const text = read.value;
  const schema = readDocumentSchema();
  const problems = new Problems();
  const report = problems.add.bind(problems);
  const fail = async (yaml?: YamlText) => err(await explain(problems, text, shownFile, options, yaml));

  const hash = documentHash({cacheDir, schema: schema.hash, text, profiles, overrides});
  let loaded = readCachedDocument(cacheDir, hash);
  if (!loaded) {
    const yaml = await parseYaml(text);
    for (const problem of yaml.problems) problems.add(problem);
    if (yaml.value === undefined) return fail(yaml);
    const base = yaml.value;
    const overridden = isObject(base) ? applyOverrides(base, profiles, overrides) : undefined;
    for (const problem of overridden?.problems ?? []) problems.add(problem);
    const merged = overridden?.value ?? base;
    const faults = await validateDocument(merged, schema);
    for (const problem of faults) problems.add(problem);
    const sound = faults.length === 0 ? {document: merged as JsonObject} : salvage(merged, faults);
    if (!sound) return fail(yaml);
    loaded = {...withSpans(sound.document, yaml, shownFile), ...('broken' in sound ? {broken: sound.broken} : {})};
    if (!problems.any) cacheDocument(cacheDir, hash, loaded);
  }

  const {document, broken} = loaded;
  const variables = new Variables(document.vars ?? {}, report);
  const stageOf = stageNames(document.nodes, broken, variables, report);
  const loader = new StageLoader(readCatalog(root, packageRoot), cacheDir, packageRoot);
  const stages = await loadStages(stageOf, loader, report);
  const paramsHash = sha256(`${hash}\0${declarationsText(stages)}`);
  const known = paramsKnownGood(cacheDir, paramsHash);
  const params = known ? undefined : await createParamChecker();
  const pipeline = expand(loaded, variables, stageOf, {root, file, shownFile, stages, params}, report);
  if (problems.any) return fail();
  if (!known) rememberGoodParams(cacheDir, paramsHash);
  const graph = buildGraph(pipeline.nodes);
  const {leaks, accepted} = findLeaks(graph);
  reportLeaks(leaks, pipeline, document.nodes, report);
  if (problems.any) return fail();
  const remote = document.cache?.remote;
  return ok({
    pipeline,
    graph,
    acceptedLeaks: accepted,
    modules: {compile: (stage) => loader.compile(stage)},
    ...(remote ? {remote} : {}),
  });
}

function readText(file: string, shown: string): Result<string> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return err([failure('pipeline-unreadable', `${shown} cannot be read: ${message}`)]);
    const hint = 'run in a folder with a pipeline.yaml, name one with --file, or write a first one with `mixdown init`';
    return err([failure('pipeline-missing', `there is no ${shown} in this folder`, {hint})]);
  }
  if (bytes.length > sizeLimitBytes) {
    return err([failure('too-large', `${shown} has ${bytes.length} bytes; the limit is ${sizeLimitBytes}`)]);
  }
  try {
    return ok(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
  } catch {
    return err([failure('pipeline-unreadable', `${shown} is not UTF-8 text`, {hint: 'save it as UTF-8'})]);
  }
}

function withSpans(merged: JsonObject, yaml: YamlText, shownFile: string): LoadedDocument {
  const spanOf = (offsets: readonly [number, number]): Span => {
    const {line, column, endLine, endColumn} = yaml.rangeOf(offsets, shownFile);
    return [line, column, endLine ?? line, endColumn ?? column];
  };
  const spans = (section: string): Record<string, Span> =>
    Object.fromEntries(yaml.keysOf([section]).map(([name, offsets]) => [name, spanOf(offsets)]));
  const document = merged as unknown as PipelineDocument;
  const documentSpans = documentPaths(document).map((path) => spanOf(yaml.locate(path, 'value')));
  return {document, nodeSpans: spans('nodes'), sourceSpans: spans('sources'), documentSpans};
}

/** Loads every stage in use once. A stage that cannot be used is reported where the pipeline first names it. */
async function loadStages(
  stageOf: ReadonlyMap<string, string>,
  loader: StageLoader,
  report: Problems['add'],
): Promise<Map<string, StageDeclaration | undefined>> {
  const users = new Map<string, string[]>();
  for (const [node, stage] of stageOf) {
    const known = users.get(stage);
    if (known) known.push(node);
    else users.set(stage, [node]);
  }
  const loaded = await Promise.all([...users.keys()].map(async (stage) => [stage, await loader.load(stage)] as const));
  const stages = new Map<string, StageDeclaration | undefined>();
  for (const [stage, result] of loaded) {
    stages.set(stage, result.ok ? result.value : undefined);
    if (result.ok) continue;
    for (const fault of result.error) {
      const everywhere =
        fault.code === 'unknown-stage' ? (users.get(stage) ?? []) : (users.get(stage) ?? []).slice(0, 1);
      for (const node of everywhere) report({...fault, path: ['nodes', node, 'stage'], at: 'value', traced: true});
    }
  }
  return stages;
}

function declarationsText(stages: ReadonlyMap<string, StageDeclaration | undefined>): string {
  const params = [...stages].map(([name, stage]) => [name, stage?.params ?? null] as const);
  return canonicalJson(Object.fromEntries(params));
}

/** Parses the text again when it came from the cache, because only the parsed form knows positions. */
async function explain(
  problems: Problems,
  text: string,
  file: string,
  {profiles, overrides}: LoadOptions,
  parsed?: YamlText,
): Promise<readonly Failure[]> {
  const yaml = parsed ?? (await parseYaml(text));
  const overridden = isObject(yaml.value) ? applyOverrides(yaml.value, profiles, overrides) : undefined;
  return reportProblems(problems, {text, file, yaml, origins: overridden?.origins ?? [], merged: overridden?.value});
}
