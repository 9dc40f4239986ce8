import {failure, type Failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {PlannedNode} from '../../core/plan.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import type {RemoteClient} from '../../remote/remote-cache.ts';
import type {Secrets} from '../../remote/secrets.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import {planNodes, type PlannedWork} from '../planning.ts';
import {chooseRemote} from '../remote/choice.ts';
import type {RemoteChoice} from '../remote/combine.ts';
import {openChosen, trustedActions} from '../remote/open.ts';
import {listenForInterrupts} from '../signals.ts';
import {warnOnce} from '../warnings.ts';

/** The nodes that were named, planned, and the remote cache. */
interface Opened {
  readonly nodes: readonly PlannedNode[];
  readonly work: PlannedWork;
  readonly client: RemoteClient;
  readonly choice: RemoteChoice;
  readonly secrets: Secrets;
}

/**
 * Sends results of the nodes to the remote cache. What was taken from others is left to them. JSON:
 * `{remote, sent, failed, borrowed, missing, blobs, bytes}`.
 */
export function cachePushCommand(context: Context, patterns: readonly string[]): Promise<ExitCode> {
  return withRemote(context, patterns, 'needed', false, async ({nodes, work, client}, signal) => {
    const actions = trustedActions(work.workspace.store);
    const missing: NodeId[] = [];
    const borrowed: NodeId[] = [];
    for (const {node, fingerprint} of nodes) {
      const result = fingerprint === undefined ? undefined : actions.get(fingerprint);
      if (!result) missing.push(node.id);
      else if (result.borrowed) borrowed.push(node.id);
      else client.share(result);
    }
    const {results, failed, blobs, bytes} = await client.finish(signal);
    const asked = nodes.length - missing.length - borrowed.length;
    // What was not even tried has not been sent either.
    const lost = Math.max(failed, asked - results);
    if (context.globals.json) {
      context.printJson({remote: client.name, sent: results, failed: lost, borrowed, missing, blobs, bytes});
    } else {
      context.print(`${countText(results, 'result')} at ${client.name}; sent ${sizeText(blobs, bytes)}`);
      if (lost > 0) context.note(`${countText(lost, 'result')} could not be sent whole`);
      if (borrowed.length > 0) context.note(`${countText(borrowed.length, 'result')} of others: ${some(borrowed)}`);
      if (missing.length > 0) context.note(`${countText(missing.length, 'node')} without a result: ${some(missing)}`);
    }
    return lost > 0 ? exitCodes.nodeFailed : exitCodes.done;
  });
}

/** Fetches results of the nodes with all their bytes; done only when all are here. JSON: `{remote, here, missing, incomplete}`. */
export function cachePullCommand(context: Context, patterns: readonly string[]): Promise<ExitCode> {
  return withRemote(context, patterns, 'targets', true, async ({nodes, work, client}, signal) => {
    const actions = trustedActions(work.workspace.store);
    const fetchOne = async ({fingerprint}: PlannedNode): Promise<'here' | 'missing' | 'incomplete'> => {
      const result = fingerprint === undefined ? undefined : actions.get(fingerprint);
      if (!result) return 'missing';
      return (await client.fetchWhole(result, signal)) ? 'here' : 'incomplete';
    };
    const outcomes = await Promise.all(nodes.map(fetchOne));
    const having = (outcome: (typeof outcomes)[number]): NodeId[] =>
      nodes.flatMap(({node}, index) => (outcomes[index] === outcome ? [node.id] : []));
    const [missing, incomplete] = [having('missing'), having('incomplete')];
    const here = nodes.length - missing.length - incomplete.length;
    if (context.globals.json) context.printJson({remote: client.name, here, missing, incomplete});
    else {
      context.print(`${countText(here, 'result')} of ${countText(nodes.length, 'node')} here`);
      if (missing.length > 0) context.note(`neither here nor at ${client.name}: ${some(missing)}`);
      if (incomplete.length > 0) context.note(`not whole at ${client.name}: ${some(incomplete)}`);
    }
    return here < nodes.length || signal.aborted ? exitCodes.nodeFailed : exitCodes.done;
  });
}

/** Without names: the default targets, or they and all that they need. */
type Otherwise = 'targets' | 'needed';

/**
 * Plans the nodes that are named, and works on them with the remote cache that is configured.
 *
 * @param alsoRead - a namespace that is read besides, and leaves no record here
 */
export async function withRemote(
  context: Context,
  patterns: readonly string[],
  otherwise: Otherwise,
  planRemotely: boolean,
  work: (opened: Opened, signal: AbortSignal) => Promise<ExitCode>,
  alsoRead?: string,
): Promise<ExitCode> {
  const interrupts = listenForInterrupts(() => {});
  const opened = await open(context, patterns, otherwise, planRemotely, alsoRead);
  try {
    if (!opened.ok) return context.fail(opened.error);
    const code = await work(opened.value, interrupts.stop);
    return interrupts.stop.aborted ? exitCodes.interrupted : code;
  } finally {
    interrupts.dispose();
    if (opened.ok) {
      opened.value.client.close();
      opened.value.work.workspace.close();
    }
  }
}

async function open(
  context: Context,
  patterns: readonly string[],
  otherwise: Otherwise,
  planRemotely: boolean,
  alsoRead: string | undefined,
): Promise<Result<Opened>> {
  const {io} = context;
  const loaded = await loadProject(context);
  if (!loaded.ok) return loaded;
  const selected = selectNodes(loaded.value, patterns, 'default');
  if (!selected.ok) return selected;
  const {project, remote} = loaded.value;
  const wish = {io, project, ...(remote ? {remote} : {})};
  const choice = await chooseRemote(wish);
  if (!choice.ok) return choice;
  if (!choice.value) return err([noRemote()]);
  // One plan and one remote cache: what both have to say is told once.
  const warn = warnOnce(context);
  const also = alsoRead === undefined ? {} : {alsoRead};
  const options = {...(planRemotely ? {remoteOf: io} : {}), ...also};
  const planned = await planNodes({warn}, loaded.value, selected.value, options, 'cache');
  if (!planned.ok) return planned;
  const {workspace, plan} = planned.value;
  const known = workspace.remote?.opened();
  const opened = known ? ok(known) : await openChosen({...wish, ...also}, workspace.store, warn);
  if (!opened.ok || !opened.value) {
    workspace.close();
    return opened.ok ? err([noRemote()]) : opened;
  }
  const named = new Set(selected.value);
  const all = patterns.length === 0 && otherwise === 'needed';
  const nodes = plan.nodes.filter(({node}) => all || named.has(node.id));
  return ok({...opened.value, nodes, work: planned.value});
}

function noRemote(): Failure {
  const hint = 'set MIXDOWN_CACHE to an address or folder, or write `cache: {remote: {url: …}}` in pipeline.yaml';
  return failure('remote-config', 'no remote cache is configured', {hint});
}

function sizeText(blobs: number, bytes: number): string {
  return `${countText(blobs, 'blob')}, ${bytesText(bytes)}`;
}

/** The first few of many nodes. */
export function some(nodes: readonly NodeId[]): string {
  const shown = nodes.slice(0, 10).join(', ');
  return nodes.length > 10 ? `${shown} and ${nodes.length - 10} more` : shown;
}
