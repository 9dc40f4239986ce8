import type {ActionResult} from '../../core/action.ts';
import {nodeAxes} from '../../core/node-axes.ts';
import {refsByPort, type NodeId} from '../../core/pipeline.ts';
import type {Artifact} from '../../core/tree.ts';
import {explainLines} from '../../report/explain-text.ts';
import {originText} from '../../report/origin-text.ts';
import type {PageNode, PageOutput} from '../../report/page-data.ts';
import {pageInputs, type MadeOutputs} from '../../report/page-inputs.ts';
import {limitInputs, limitLines, limitText, limitTexts, pageLimits, type PageLimits} from '../../report/page-limits.ts';
import {maskParams, maskReasons} from '../../report/page-secrets.ts';
import {printable} from '../../report/text-width.ts';
import {isArtifact} from '../../store/validate.ts';
import type {PageBooks} from './books.ts';
import {lastLines} from './log.ts';
import {detailReasons} from '../reason-detail.ts';

/** The nodes of a run, and the time that was saved by not doing their work again, in milliseconds. */
export interface PageNodes {
  readonly nodes: readonly PageNode[];
  readonly savedMs: number;
  /** Of each node, all of them. */
  readonly producers: ReadonlyMap<NodeId, readonly NodeId[]>;
}

export function pageNodes(books: PageBooks): PageNodes {
  const limits = pageLimits(books.ids.length);
  let logBytes = limits.logBytes;
  const made = madeOutputs(books);
  const slices = countSlices(books);
  const reasons = startReasons(books);
  const producers = new Map<NodeId, readonly NodeId[]>();
  let savedMs = 0;
  const nodes = books.ids.map((id): PageNode => {
    const {name, axes} = nodeAxes(id);
    const ended = books.ended.get(id);
    const result = books.resultOf(id);
    const node = books.nodeOf(id);
    const outcome = ended?.outcome ?? 'cancelled';
    const isHere = outcome === 'executed' || outcome === 'failed';
    const work = result && workOf(result, books);
    const isReused = outcome === 'cached' || outcome === 'up-to-date';
    // What the plan knew of it then is left when the record of the work is gone.
    const remembered = isReused ? books.planned.get(id)?.expectedMs : undefined;
    if (isReused) savedMs += work?.wallMs ?? remembered ?? 0;
    else if (outcome === 'executed' && work?.bySlice) savedMs += savedBySlices(work.bySlice, slices.get(id)?.executed);
    const wallMs = isHere ? ended?.wallMs : (result?.execution.wallMs ?? remembered);
    const device = ended?.device ?? result?.execution.device;
    const engine = ended?.engine ?? result?.action.toolchain['engine'];
    const params = result?.action.params ?? node?.params ?? {};
    const sliced = sliceCounts(id, books, slices.get(id), work?.bySlice?.size);
    const log = outcome === 'failed' || logBytes > 0 ? lastLines(id, books) : undefined;
    logBytes -= log?.length ?? 0;
    const inputs = pageInputs(node && refsByPort(node), result?.action.inputs, made);
    producers.set(
      id,
      inputs.flatMap((input) => (input.from === 'node' ? [input.node] : [])),
    );
    const failure = ended?.failure;
    return {
      id,
      name,
      axes: Object.fromEntries(axes),
      stage: result?.action.stage ?? node?.stage ?? '',
      outcome,
      reasons: isReused ? [] : limitLines(reasons(id), limits.reasons),
      ...(wallMs === undefined ? {} : {wallMs: Math.round(wallMs)}),
      ...(device === undefined ? {} : {device}),
      ...(engine === undefined ? {} : {engine}),
      ...(result?.borrowed ? {origin: originText(result.borrowed)} : {}),
      ...(sliced === undefined ? {} : {slices: sliced}),
      params: limits.details ? limitTexts(maskParams(params)) : {},
      metrics: numbersOf(ended?.metrics ?? result?.metrics ?? {}),
      ...limitInputs(inputs, limits.inputs),
      outputs: pageOutputs(id, books, limits),
      ...(ended?.fingerprint === undefined || !limits.details ? {} : {fingerprint: ended.fingerprint}),
      ...(failure === undefined ? {} : {failure: shownFailure(failure)}),
      ...(log === undefined ? {} : {log}),
    };
  });
  return {nodes, savedMs: Math.round(savedMs), producers};
}

/** What a record could not hold, such as NaN, is null there. */
function numbersOf(metrics: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function shownFailure({code, message, hint}: NonNullable<PageNode['failure']>): NonNullable<PageNode['failure']> {
  return {code, message: limitText(printable(message)), ...(hint === undefined ? {} : {hint: printable(hint)})};
}

function pageOutputs(id: NodeId, books: PageBooks, {hashDigits}: PageLimits): readonly PageOutput[] {
  return [...outputsOf(id, books)].map(([output, artifact]) => ({
    output,
    file: fileName(id, output, books),
    bytes: artifact.kind === 'file' ? artifact.digest.size : artifact.bytes,
    ...(artifact.kind === 'tree' ? {files: artifact.files} : {}),
    hash: artifact.digest.hash.slice(0, hashDigits),
  }));
}

/** What the node has, made in this run or before. */
export function outputsOf(id: NodeId, books: PageBooks): ReadonlyMap<string, Artifact> {
  const outputs = books.ended.get(id)?.outputs ?? books.resultOf(id)?.outputs ?? {};
  // A hash becomes part of a path, and anything may be in a record.
  return new Map(Object.entries(outputs).filter(([, artifact]) => isArtifact(artifact)));
}

export function fileName(id: NodeId, output: string, books: PageBooks): string {
  return books.resultOf(id)?.action.outputs[output]?.name ?? books.nodeOf(id)?.outputs[output]?.name ?? output;
}

function madeOutputs(books: PageBooks): MadeOutputs {
  const owners = new Map<string, {readonly node: NodeId; readonly output: string}>();
  const made = new Map<NodeId, ReadonlyMap<string, Artifact>>();
  for (const node of books.ids) {
    const outputs = outputsOf(node, books);
    made.set(node, outputs);
    for (const [output, {digest}] of outputs) if (!owners.has(digest.hash)) owners.set(digest.hash, {node, output});
  }
  return {
    hashOf: (node, output) => made.get(node)?.get(output)?.digest.hash,
    ownerOf: (hash) => owners.get(hash),
  };
}

/** Why a node started, or would have, a line each. */
function startReasons(books: PageBooks): (id: NodeId) => readonly string[] {
  const started = new Map(
    books.events.flatMap((event) => (event.type === 'node-started' ? [[event.node, event.reasons] as const] : [])),
  );
  return (id) => {
    const found = started.get(id) ?? books.planned.get(id)?.reasons ?? [];
    return explainLines(detailReasons(books.nodeOf(id), maskReasons(found), books)).map(printable);
  };
}

interface Work {
  readonly wallMs: number;
  /** Of an `each` node: wall time by slice. */
  readonly bySlice?: ReadonlyMap<string, number>;
}

/** What its result cost. The record of an `each` node has the time of its last run only, which may have been a few slices. */
function workOf(result: ActionResult, books: PageBooks): Work {
  const manifest = books.slicesOf(result);
  if (!manifest) return {wallMs: result.execution.wallMs};
  const bySlice = new Map(manifest.slices.map(({key, wallMs}) => [key, wallMs]));
  return {wallMs: [...bySlice.values()].reduce((sum, ms) => sum + ms, 0), bySlice};
}

function savedBySlices(work: ReadonlyMap<string, number>, executed: ReadonlySet<string> = new Set()): number {
  return [...work].reduce((sum, [key, ms]) => sum + (executed.has(key) ? 0 : ms), 0);
}

interface CountedSlices {
  readonly executed: Set<string>;
  readonly failed: Set<string>;
}

function countSlices({events}: PageBooks): ReadonlyMap<NodeId, CountedSlices> {
  const counted = new Map<NodeId, CountedSlices>();
  for (const event of events) {
    if (event.type !== 'slice-finished') continue;
    let own = counted.get(event.node);
    if (!own) counted.set(event.node, (own = {executed: new Set(), failed: new Set()}));
    if (event.outcome === 'executed') own.executed.add(event.key);
    if (event.outcome === 'failed') own.failed.add(event.key);
  }
  return counted;
}

function sliceCounts(
  id: NodeId,
  {ended, planned}: PageBooks,
  counted: CountedSlices | undefined,
  recorded: number | undefined,
): PageNode['slices'] {
  const said = ended.get(id)?.slices;
  const total = said?.total ?? planned.get(id)?.slices?.total ?? recorded;
  if (total === undefined) return undefined;
  const executed = said?.executed ?? counted?.executed.size ?? 0;
  const failed = counted?.failed.size ?? 0;
  const isThere = ended.get(id)?.outcome === 'cached' || ended.get(id)?.outcome === 'up-to-date';
  return {total, executed, cached: said?.cached ?? (isThere ? total : 0), failed};
}
