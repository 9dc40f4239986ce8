import {failure, type Failure} from '../../core/failure.ts';
import type {NodeCheck} from '../../core/pin-check.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Pin, Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {select} from '../../core/selection.ts';
import type {BuildSummary} from '../../engine/run-context.ts';
import {checkPins} from '../../pins/check.ts';
import {parsePins} from '../../pins/pins-text.ts';
import {countText} from '../../report/count-text.ts';
import {nodesText, otherEngineText, troubleText} from '../../report/check-text.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import type {Loaded} from '../load.ts';
import {pinFileOf, readPinBytes} from './file.ts';
import {isKnownSound, keepPins} from './keeper.ts';
import {keptText} from './report.ts';
import {PinnedCode, pinnedNodes, valuesOf} from './scope.ts';
import type {PlannedWork} from '../planning.ts';
import {displayPath} from '../project.ts';
import {sameOptions} from '../same-options.ts';
import {detailReasons} from '../reason-detail.ts';

/** What a run does about its lock. */
export interface LockOptions {
  readonly frozen?: true;
  readonly accept?: readonly string[];
  readonly reason?: string;
}

/** A run's lock. */
export interface RunLock {
  /** Undefined with --set: then there is no lock. */
  readonly file: {readonly path: string; readonly shown: string} | undefined;
  /** The lock is there. */
  readonly present: boolean;
  /** Absent when there is no lock, and when it need not be read as it is known to be sound. */
  readonly pins?: Pins;
  readonly frozen: boolean;
  readonly accept: ReadonlyMap<NodeId, NonNullable<Pin['accepted']>>;
}

/** Reads the lock and what is wanted of it, before anything runs. */
export function openRunLock(context: Context, loaded: Loaded, options: LockOptions): Result<RunLock> {
  const {frozen = false, accept = [], reason} = options;
  const path = pinFileOf(context, loaded.project);
  const read = readSound(context, loaded, path, options);
  if (!read.ok) return read;
  const {present, pins} = read.value;
  const shown = path === undefined ? 'mixdown.lock' : displayPath(path, context.io.cwd);
  const problems: Failure[] = [];
  if ((frozen || accept.length > 0) && !present) {
    const hint =
      path === undefined ? 'with --set, name one with --lock FILE' : 'pin the results with `mixdown lock` first';
    problems.push(
      failure('lock-missing', `there is no ${shown}, which --${frozen ? 'frozen' : 'accept'} needs`, {hint}),
    );
  }
  if (frozen && accept.length > 0)
    problems.push(failure('usage', '--frozen keeps the lock as it is, and --accept changes it'));
  if (accept.length > 0 && (reason ?? '').trim() === '') {
    const hint = "say why the new values are right: --reason 'new version of the tensor library'";
    problems.push(failure('usage', '--accept needs a reason, which the lock keeps', {hint}));
  }
  if (reason !== undefined && accept.length === 0) problems.push(failure('usage', '--reason goes with --accept NODE'));
  const selected = select(loaded.pipeline, loaded.graph, accept);
  if (!selected.ok) problems.push(...selected.error);
  if (problems.length > 0 || !selected.ok) return err(problems);
  const accepted = {reason: (reason ?? '').trim(), on: new Date(context.io.now()).toISOString().slice(0, 10)};
  return ok({
    file: path === undefined ? undefined : {path, shown},
    present,
    ...(pins === undefined ? {} : {pins}),
    frozen,
    accept: new Map(selected.value.map((id) => [id, accepted])),
  });
}

/** Reads a lock, unless this very text was found right before and its pins are not needed. */
function readSound(
  context: Context,
  loaded: Loaded,
  path: string | undefined,
  {frozen, accept = []}: LockOptions,
): Result<Pick<RunLock, 'present' | 'pins'>> {
  const shown = displayPath(path ?? '', context.io.cwd);
  const text = path === undefined ? ok(undefined) : readPinBytes(path, shown);
  if (!text.ok) return text;
  if (text.value === undefined) return ok({present: false});
  if (!frozen && accept.length === 0 && isKnownSound(text.value, loaded.project.runsDir)) return ok({present: true});
  const pins = parsePins(text.value.toString('utf8'), shown);
  if (!pins.ok) return pins;
  // What it is to pin must be there before anything runs.
  const nodes = pinnedNodes(loaded, pins.value);
  return nodes.ok ? ok({present: true, pins: pins.value}) : nodes;
}

/** Why a run could not leave the lock as it is; told, with exit code 4. Undefined when it can. */
export async function frozenTrouble(
  context: Context,
  loaded: Loaded,
  work: PlannedWork,
  {pins, frozen, file}: RunLock,
): Promise<ExitCode | undefined> {
  if (!frozen || pins === undefined || file === undefined) return undefined;
  const planned = new Set(work.plan.nodes.map(({node}) => node.id));
  const code = new PinnedCode(loaded);
  const {artifacts} = work.planned;
  const checked = await checkRun(loaded, work, pins, code, () => undefined);
  if (!checked.ok) return context.fail(checked.error);
  const checks = checked.value;
  const trouble = checks.filter(
    ({node, verdict}) => verdict === 'orphaned' || (planned.has(node) && verdict !== 'fresh'),
  );
  if (trouble.length === 0) return undefined;
  const known = {blobs: work.workspace.store.blobs, artifacts, stages: code.stages};
  const detailed = trouble.map((check) => {
    const node = loaded.graph.nodes[loaded.graph.indexOf.get(check.node) ?? -1];
    return {...check, reasons: detailReasons(node, check.reasons, known)};
  });
  const message = `${file.shown} would have to change, and --frozen keeps it: nothing was run`;
  const hint = `run without --frozen where it may change, and commit it: mixdown run${sameOptions(context.globals)}`;
  return tellStale(context, message, detailed, hint);
}

function tellStale(
  {io, note, paint, tellChecks}: Context,
  message: string,
  trouble: readonly NodeCheck[],
  hint?: string,
): ExitCode {
  const following = trouble.filter(({follows}) => follows.length > 0).length;
  const rest = following === 0 ? '' : `\nand ${countText(following, 'node')} after them`;
  note(`${troubleText(trouble, paint)}${rest}`);
  io.stderr.write(`${paint.bad('error:')} ${message}\n`);
  if (hint !== undefined) io.stderr.write(`  ${paint.dim(`hint: ${hint}`)}\n`);
  tellChecks?.(trouble);
  return exitCodes.stale;
}

/** Brings the lock up to date with what a run made, or with --frozen compares it. */
export async function keepRunLock(
  context: Context,
  loaded: Loaded,
  work: PlannedWork,
  summary: BuildSummary,
  lock: RunLock,
): Promise<ExitCode> {
  const {file, present, pins, frozen, accept} = lock;
  if (file === undefined || !present) return exitCodes.done;
  const resultOf = (id: NodeId) => {
    const {outcome, outputs, metrics = {}, fingerprint} = summary.nodes.get(id) ?? {};
    const made = outcome === 'executed' || outcome === 'cached' || outcome === 'up-to-date';
    if (!made || outputs === undefined) return undefined;
    return {outputs, metrics, ...(fingerprint === undefined ? {} : {fingerprint})};
  };
  if (frozen && pins) return compareFrozen(context, loaded, work, pins, resultOf, file.shown);
  const kept = await keepPins({loaded, work, lock: file, resultOf, accept});
  if (!kept.ok) return context.fail(kept.error);
  const {globals, note, print} = context;
  if (kept.value === undefined || kept.value === 'settled') return exitCodes.done;
  const {accepted, drifted, written} = kept.value;
  const remark = written && loaded.pipeline.documents ? '\nto show it in the documents: mixdown render' : '';
  const text = keptText(kept.value, file.shown, context) + remark;
  if (globals.json) {
    if (drifted.length > 0) note(text);
  } else if (!globals.quiet || drifted.length > 0) {
    print(text);
  }
  if (accept.size > 0 && accepted.length === 0) {
    note(`nothing to accept: ${nodesText([...accept.keys()])} did not drift, or only follow what did`);
  }
  return exitCodes.done;
}

async function compareFrozen(
  context: Context,
  loaded: Loaded,
  work: PlannedWork,
  pins: Pins,
  resultOf: Parameters<typeof valuesOf>[1],
  shown: string,
): Promise<ExitCode> {
  const checked = await checkRun(loaded, work, pins, new PinnedCode(loaded), resultOf);
  if (!checked.ok) return context.fail(checked.error);
  const checks = checked.value;
  const drifted = checks.filter(({verdict}) => verdict === 'drifted');
  if (drifted.length > 0) return tellStale(context, `${shown} pins other values than this run made`, drifted);
  if (!context.globals.json && !context.globals.quiet) {
    const others = otherEngineText(checks.flatMap(({otherEngine}) => otherEngine ?? []));
    context.print([`${shown}: all that it pins of this run agrees`, ...others].join('\n'));
  }
  return exitCodes.done;
}

/** How the nodes of a lock stand, as this run sees them. */
async function checkRun(
  loaded: Loaded,
  {planned: {artifacts, engines}, workspace}: PlannedWork,
  pins: Pins,
  code: PinnedCode,
  resultOf: Parameters<typeof valuesOf>[1],
): Promise<Result<readonly NodeCheck[]>> {
  const nodes = pinnedNodes(loaded, pins);
  if (!nodes.ok) return nodes;
  const checks = checkPins({
    pins,
    nodes: nodes.value,
    codeOf: (node) => code.of(node),
    engineOf: ({id}) => engines.engineOf(id),
    sourceOf: (source) => artifacts.of({from: 'source', source})?.digest.hash,
    values: await valuesOf(nodes.value, resultOf, pins, workspace.store),
  });
  return ok(checks);
}
