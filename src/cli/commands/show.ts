import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {didYouMean} from '../../core/closest.ts';
import {failure} from '../../core/failure.ts';
import type {PipelineNode} from '../../core/pipeline.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {parseTree, type Artifact, type Tree} from '../../core/tree.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {logPath} from '../../report/run-record.ts';
import {textTable} from '../../report/table.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {planNodes, type PlannedWork} from '../planning.ts';
import {displayPath} from '../project.ts';
import {readRecord} from '../records.ts';
import {knownResult, resolveWanted, type Wanted} from '../wanted.ts';
import {artifactText, metricsTable, showNode, type Known} from './show-node.ts';

interface ShowOptions {
  readonly metrics?: true;
  readonly log?: true;
  readonly path?: true;
  readonly to?: string;
}

/** Shows a result: artifacts, metrics, log. Runs nothing, and writes only what --to names. */
export async function showCommand(context: Context, what: string, options: ShowOptions): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const wanted = resolveWanted(loaded.value, what, 'show');
  if (!wanted.ok) return context.fail(wanted.error);
  const {node, output} = wanted.value;
  const work = await planNodes(context, loaded.value, [node.id]);
  if (!work.ok) return context.fail(work.error);
  if (options.log) return showLog(context, node, work.value);
  const known = knownResult(node.id, work.value);
  if (known === undefined) {
    return context.fail([
      failure('blob-missing', `there is no result of ${node.id} yet`, {hint: `make it: mixdown run '${node.id}'`}),
    ]);
  }
  if (known.stale) context.note(`${node.id} is stale; this is its last result`);
  if (options.metrics) return showMetrics(context, known);
  if (output === undefined) {
    const only = Object.keys(known.outputs);
    if (options.to === undefined && !options.path) return showNode(context, node, known, work.value);
    if (only.length !== 1 || only[0] === undefined) {
      const hint = `name one: ${only.map((name) => `${node.id}.${name}`).join(', ')}`;
      return context.fail([failure('usage', `${node.id} has ${countText(only.length, 'output')}`, {hint})]);
    }
    return showOutput(context, {node, output: only[0]}, known, work.value, options);
  }
  return showOutput(context, {...wanted.value, output}, known, work.value, options);
}

function showMetrics(context: Context, {metrics}: Known): ExitCode {
  if (context.globals.json) context.printJson(metrics);
  else if (Object.keys(metrics).length === 0) context.print('no metrics');
  else context.print(metricsTable(metrics));
  return exitCodes.done;
}

/** The newest run's log of the node, for it may have failed there; else the log kept with its result. */
async function showLog(context: Context, node: PipelineNode, work: PlannedWork): Promise<ExitCode> {
  const {runs, state, store} = work.workspace;
  for (const id of runs.list().slice(0, 20)) {
    const outcome = readRecord(runs, id)?.nodes[node.id]?.outcome;
    const text = outcome === 'executed' || outcome === 'failed' ? runs.open(id)?.read(logPath(node.id)) : undefined;
    if (outcome !== 'executed' && outcome !== 'failed') continue;
    const title = `run ${id}, ${outcome}${text === undefined ? '; it printed nothing' : ''}`;
    return printLog(context, id, title, text);
  }
  const planned = work.plan.nodes.find((each) => each.node.id === node.id);
  const fingerprint = state.get(node.id)?.fingerprint ?? planned?.fingerprint;
  const execution = fingerprint === undefined ? undefined : store.actions.get(fingerprint)?.execution;
  if (execution === undefined) {
    return context.fail([failure('blob-missing', `there is no log of ${node.id}: it has not run yet`)]);
  }
  const bytes = execution.log === undefined ? undefined : await store.cas.read(execution.log);
  const silent = execution.log === undefined ? '; it printed nothing' : '';
  const title = `run ${execution.runId} on ${execution.host}${silent}`;
  return printLog(context, execution.runId, title, bytes && Buffer.from(bytes).toString('utf8'));
}

/** The log on stdout, its title beside it on stderr. JSON: `{run, text}`. */
function printLog({globals, note, print, printJson}: Context, run: string, title: string, text = ''): ExitCode {
  if (globals.json) printJson({run, text});
  else {
    note(title);
    print(text);
  }
  return exitCodes.done;
}

async function showOutput(
  context: Context,
  {node, output, entry}: Wanted & {readonly output: string},
  known: Known,
  {workspace}: PlannedWork,
  options: ShowOptions,
): Promise<ExitCode> {
  const {cas, files} = workspace.store;
  const whole = known.outputs[output];
  const name = `${node.id}.${output}`;
  if (whole === undefined) return context.fail([failure('unknown-output', `the last result has no ${name}`)]);
  const tree = whole.kind === 'tree' ? await readTree(whole, cas) : undefined;
  if (whole.kind === 'tree' && tree === undefined) return context.fail([gone(name, node.id)]);
  const picked = entry === undefined ? ok(whole) : pickEntry(name, tree, entry);
  if (!picked.ok) return context.fail(picked.error);
  const artifact = picked.value;
  if (!cas.holds(artifact.digest))
    return context.fail([gone(entry === undefined ? name : `${name}/${entry}`, node.id)]);
  if (options.to !== undefined) return copyOut(context, artifact, options.to, files);
  if (options.path) {
    const path = cas.pathOf(artifact.digest);
    if (context.globals.json) context.printJson({path});
    else context.print(path);
    return exitCodes.done;
  }
  if (artifact.kind === 'tree') return listTree(context, artifact, tree ?? {entries: []});
  if (context.globals.json) {
    context.printJson(artifact);
    return exitCodes.done;
  }
  const bytes = await cas.read(artifact.digest);
  if (bytes === undefined) return context.fail([gone(name, node.id)]);
  if (context.io.stdout.isTTY && isBinary(bytes)) {
    context.note(`${name} is binary, ${bytesText(bytes.byteLength)}; copy it out with --to PATH, or pipe it somewhere`);
    return exitCodes.done;
  }
  context.io.stdout.writeBytes(bytes);
  return exitCodes.done;
}

function pickEntry(name: string, tree: Tree | undefined, entry: string): Result<Artifact> {
  if (tree === undefined) return err([failure('kind-mismatch', `${name} is a file and has no entries`)]);
  const found = tree.entries.find(({path}) => path === entry);
  if (found) return ok({kind: 'file', digest: found.digest});
  const hint = didYouMean(
    entry,
    tree.entries.map(({path}) => path),
  );
  return err([failure('unknown-output', `${name} has no entry \`${entry}\``, hint === undefined ? {} : {hint})]);
}

function listTree(context: Context, artifact: Artifact, tree: Tree): ExitCode {
  if (context.globals.json) {
    context.printJson({...artifact, entries: tree.entries});
    return exitCodes.done;
  }
  const rows = tree.entries.map(({path, digest}) => [path, bytesText(digest.size)]);
  context.print(textTable([{title: ''}, {title: '', align: 'right'}], rows));
  context.note(artifactText(artifact));
  return exitCodes.done;
}

async function copyOut(
  context: Context,
  artifact: Artifact,
  to: string,
  files: PlannedWork['workspace']['store']['files'],
): Promise<ExitCode> {
  const target = resolve(context.io.cwd, to);
  if (existsSync(target)) {
    return context.fail([failure('usage', `${to} exists already`, {hint: 'name another place, or remove it first'})]);
  }
  const placed = await files.artifact(artifact, target, 'private');
  if (!placed.ok) return context.fail(placed.error);
  if (context.globals.json) context.printJson({path: target});
  else context.note(`wrote ${displayPath(target, context.io.cwd)}: ${artifactText(artifact)}`);
  return exitCodes.done;
}

async function readTree(artifact: Artifact, cas: PlannedWork['workspace']['store']['cas']): Promise<Tree | undefined> {
  const bytes = await cas.read(artifact.digest);
  return bytes && parseTree(Buffer.from(bytes).toString('utf8'));
}

function gone(name: string, node: string): ReturnType<typeof failure> {
  const hint = `fetch or make them: mixdown run '${node}'`;
  return failure('blob-missing', `the bytes of ${name} are not in the cache`, {hint});
}

/** As other programs guess it: a zero byte near the start. */
function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8000).includes(0);
}
