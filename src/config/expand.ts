import {statSync} from 'node:fs';
import {resolve as resolvePath} from 'node:path';
import type {SourceRange} from '../core/failure.ts';
import type {Pipeline, PipelineNode, Source} from '../core/pipeline.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {commandOutputKinds, commandStage, expandCommandNode} from './command-node.ts';
import {reportCycles} from './cycles.ts';
import {readDocuments} from './documents.ts';
import {isCommand, type LoadedDocument, type NodeSection, type SourceSection, type Span} from './document.ts';
import {Matrices} from './matrices.ts';
import {readSlurm} from './node-settings.ts';
import type {ParamChecker} from './param-checker.ts';
import type {Problem} from './problem.ts';
import {References, type Producer} from './references.ts';
import {toText, variablesOnly, type Report} from './scope.ts';
import {expandStageNode, type StageNodeContext} from './stage-node.ts';
import {readTargets} from './targets.ts';
import {compileTemplate, mayRefer} from './template.ts';
import type {Variables} from './variables.ts';

export interface ExpandOptions {
  readonly root: string;
  readonly file: string;
  /** The file's name in messages. */
  readonly shownFile: string;
  /** Declarations of the stages in use; undefined for one that is wrong, which was reported. */
  readonly stages: ReadonlyMap<string, StageDeclaration | undefined>;
  /** Absent when this document was found clean with these declarations before. */
  readonly params: ParamChecker | undefined;
}

/** The stage that each stage node uses, with its variables replaced. */
export function stageNames(
  nodes: Readonly<Record<string, NodeSection>>,
  broken: ReadonlySet<string> | undefined,
  variables: Variables,
  report: Report,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const resolve = variablesOnly(variables, report);
  for (const [name, section] of Object.entries(nodes)) {
    if (broken?.has(name) || isCommand(section)) continue;
    if (!mayRefer(section.stage)) {
      names.set(name, section.stage);
      continue;
    }
    const path = ['nodes', name, 'stage'];
    const found = compileTemplate(section.stage, path, resolve, report);
    if (found?.kind === 'constant') names.set(name, toText(found.value, path, report));
  }
  return names;
}

/** The whole pipeline, every matrix written out and every reference resolved. Linear in the size of the result. */
export function expand(
  {document, nodeSpans, sourceSpans, documentSpans = [], broken}: LoadedDocument,
  variables: Variables,
  stageOf: ReadonlyMap<string, string>,
  options: ExpandOptions,
  report: Report,
): Pipeline {
  const {root, file, shownFile, stages} = options;
  const toRange = (span: Span | undefined): SourceRange | undefined =>
    span && {file: shownFile, line: span[0], column: span[1], endLine: span[2], endColumn: span[3]};
  const rangeOf = (spans: Readonly<Record<string, Span>>, name: string): SourceRange | undefined =>
    toRange(Object.hasOwn(spans, name) ? spans[name] : undefined);
  variables.checkAll();
  checkNames(document.nodes, document.sources ?? {}, report);
  const sources = readSources(document.sources ?? {}, variables, (name) => rangeOf(sourceSpans, name), report);
  const matrices = new Matrices(document.nodes, broken, variables, report);
  const producers = new Map<string, Producer>();
  const outputKinds = kindsByStage();
  for (const [name, section] of Object.entries(document.nodes)) {
    const stage = stages.get(stageOf.get(name) ?? '');
    producers.set(name, {
      variants: matrices.of(name),
      outputs: broken?.has(name) ? undefined : outputKinds(section, stage),
    });
  }
  const kinds = new Map(Object.values(sources).map((source) => [source.name, sourceKind(source, root)] as const));
  const references = new References(producers, kinds);
  const scope: StageNodeContext = {
    variables,
    matrices,
    references,
    report,
    runSeed: document.seed ?? 1,
    salt: document.salt ?? '',
    params: options.params,
  };
  const nodes: PipelineNode[] = [];
  for (const [name, section] of Object.entries(document.nodes)) {
    if (broken?.has(name)) continue;
    const range = rangeOf(nodeSpans, name);
    const stage = stages.get(stageOf.get(name) ?? '');
    // Not push(...): a spread of 100 000 variants would overflow the stack.
    if (isCommand(section)) for (const node of expandCommandNode(name, section, range, scope)) nodes.push(node);
    else if (stage) for (const node of expandStageNode(name, section, stage, range, scope)) nodes.push(node);
  }
  const withoutConsumer = reportCycles(nodes, report);
  const targets = readTargets(document.targets ?? {}, producers, sources, variables, report);
  const documents = readDocuments(document, documentSpans.map(toRange), variables, report);
  return {
    root,
    file,
    seed: scope.runSeed,
    nodes,
    sources,
    stages: usedStages(nodes, stages),
    axes: Object.fromEntries([...producers].map(([name, {variants}]) => [name, variants.values])),
    targets: Object.hasOwn(targets, 'default') ? targets : {default: withoutConsumer, ...targets},
    ...(documents.length > 0 ? {documents} : {}),
    ...(document.executors?.slurm ? {slurm: readSlurm(document.executors.slurm, report)} : {}),
  };
}

const reserved = new Set(['vars', 'matrix', 'inputs', 'outputs', 'params', 'seed', 'env']);

function checkNames(nodes: object, sources: object, report: (problem: Problem) => void): void {
  for (const name of Object.keys(nodes)) {
    const path = ['nodes', name];
    if (Object.hasOwn(sources, name)) {
      const message = `\`${name}\` is a source and a node: names are shared`;
      report({code: 'bad-value', message, hint: 'rename one of them', path, at: 'key'});
    }
    if (!reserved.has(name)) continue;
    const message = `\`${name}\` cannot name a node: \`\${${name}.…}\` means something else`;
    report({code: 'bad-value', message, path, at: 'key'});
  }
}

/** Kinds of a node's outputs as others see them; one table for all nodes of a stage. */
function kindsByStage(): (section: NodeSection, stage: StageDeclaration | undefined) => Producer['outputs'] {
  const tables = new Map<StageDeclaration, {readonly plain: KindTable; readonly sliced: KindTable}>();
  return (section, stage) => {
    if (isCommand(section)) {
      const kinds = commandOutputKinds(section);
      return section.each === undefined ? kinds : allTrees(kinds);
    }
    if (!stage) return undefined;
    let table = tables.get(stage);
    if (!table) {
      const plain = Object.fromEntries(Object.entries(stage.outputs).map(([name, {kind}]) => [name, kind]));
      table = {plain, sliced: allTrees(plain)};
      tables.set(stage, table);
    }
    return section.each === undefined ? table.plain : table.sliced;
  };
}

type KindTable = Readonly<Record<string, 'file' | 'tree'>>;

function allTrees(kinds: KindTable): KindTable {
  return Object.fromEntries(Object.keys(kinds).map((name) => [name, 'tree']));
}

function usedStages(nodes: readonly PipelineNode[], stages: ExpandOptions['stages']): Record<string, StageDeclaration> {
  const used: Record<string, StageDeclaration> = {};
  for (const [name, stage] of stages) if (stage) used[name] = stage;
  if (nodes.some((node) => node.command)) used[commandStage.name] = commandStage;
  return used;
}

function readSources(
  sections: Readonly<Record<string, SourceSection>>,
  variables: Variables,
  rangeOf: (name: string) => SourceRange | undefined,
  report: Report,
): Record<string, Source> {
  const sources: Record<string, Source> = {};
  for (const [name, section] of Object.entries(sections)) {
    const full = typeof section === 'string' ? {path: section} : section;
    const path = typeof section === 'string' ? ['sources'] : ['sources', name];
    const key = typeof section === 'string' ? name : undefined;
    const text = (value: string, at: readonly (string | number)[]): string => {
      const found = compileTemplate(value, at, variablesOnly(variables, report), report);
      return found?.kind === 'constant' ? toText(found.value, at, report) : '';
    };
    const texts = (value: string | readonly string[] = [], field: string): readonly string[] =>
      typeof value === 'string'
        ? [text(value, [...path, field])]
        : value.map((item, at) => text(item, [...path, field, at]));
    const range = rangeOf(name);
    sources[name] = {
      name,
      path: text(full.path, [...path, key ?? 'path']),
      include: texts(full.include, 'include'),
      exclude: texts(full.exclude, 'exclude'),
      ...(range ? {range} : {}),
    };
  }
  return sources;
}

/** File or folder, as found on disk now; a source that is missing is the plan's business. */
function sourceKind({path, include, exclude}: Source, root: string): 'file' | 'tree' | undefined {
  if (include.length + exclude.length > 0) return 'tree';
  try {
    return statSync(resolvePath(root, path)).isDirectory() ? 'tree' : 'file';
  } catch {
    return undefined;
  }
}
