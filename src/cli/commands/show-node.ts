import {closeSync, openSync, readSync} from 'node:fs';
import type {PipelineNode} from '../../core/pipeline.ts';
import {parseTree, type Artifact} from '../../core/tree.ts';
import {arrayHeaderBytes, arrayText, readArrayHeader, type ArrayHeader} from '../../report/array-header.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {agoText, durationText} from '../../report/duration.ts';
import {originText, viaText} from '../../report/origin-text.ts';
import {textTable} from '../../report/table.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import type {PlannedWork} from '../planning.ts';

/** A node's result as it is known now. */
export interface Known {
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly fingerprint?: string;
  /** The result is of an earlier state of the pipeline. */
  readonly stale: boolean;
}

/** What a reader of an output needs: what the stage says of it, and shape and type where it is an array. */
interface Content {
  readonly about?: string;
  /** Of the file; of a folder, of its first file. */
  readonly array?: ArrayHeader;
}

/** A node's artifacts with their contents, its metrics, and when it ran. */
export async function showNode(
  context: Context,
  node: PipelineNode,
  known: Known,
  {workspace}: PlannedWork,
): Promise<ExitCode> {
  const {paint, io} = context;
  const {actions, cas} = workspace.store;
  const fingerprint = known.fingerprint as Parameters<typeof actions.get>[0] | undefined;
  const result = fingerprint === undefined ? undefined : actions.get(fingerprint);
  const {execution, action, borrowed, via} = result ?? {};
  const engine = action?.toolchain['engine'];
  const contents: Record<string, Content> = {};
  for (const [name, artifact] of Object.entries(known.outputs)) {
    const about = node.outputs[name]?.about;
    const array = await arrayOf(artifact, cas);
    contents[name] = {...(about === undefined ? {} : {about}), ...(array === undefined ? {} : {array})};
  }
  if (context.globals.json) {
    context.printJson({node: node.id, stage: node.stage, ...known, contents, engine, execution, borrowed, via});
    return exitCodes.done;
  }
  const rows = Object.entries(known.outputs).map(([name, artifact]) => [
    `${node.id}.${name}`,
    artifactText(artifact, contents[name]?.array),
    paint.dim(artifact.digest.hash.slice(0, 12)),
  ]);
  const blocks = [textTable([{title: 'output'}, {title: 'content'}, {title: 'digest'}], rows)];
  const abouts = Object.entries(contents).flatMap(([name, {about}]) => (about === undefined ? [] : [[name, about]]));
  if (abouts.length > 0) blocks.push(textTable([{title: ''}, {title: ''}], abouts));
  if (Object.keys(known.metrics).length > 0) blocks.push(metricsTable(known.metrics));
  if (execution) {
    const {runId, startedAt, wallMs, device, host} = execution;
    const place = engine === undefined ? device : `${device} with ${engine}`;
    blocks.push(
      `ran ${agoText(io.now() - startedAt)} in run ${runId}, ${durationText(wallMs)} on ${place}, ${host}\n` +
        (borrowed ? `${originText(borrowed)}\n` : '') +
        (via ? `${viaText(via)}\n` : '') +
        paint.dim(`log: mixdown show --log '${node.id}'`),
    );
  }
  context.print(blocks.join('\n\n'));
  return exitCodes.done;
}

export function artifactText(artifact: Artifact, array?: ArrayHeader): string {
  const what = array === undefined ? '' : `${artifact.kind === 'tree' ? 'such as ' : ''}${arrayText(array)}`;
  if (artifact.kind === 'file') return `${what || 'file'}, ${bytesText(artifact.digest.size)}`;
  return `folder, ${countText(artifact.files, 'file')}, ${bytesText(artifact.bytes)}${what && `, ${what}`}`;
}

export function metricsTable(metrics: Readonly<Record<string, number>>): string {
  const rows = Object.entries(metrics).map(([name, value]) => [name, String(value)]);
  return textTable([{title: 'metric'}, {title: 'value', align: 'right'}], rows);
}

async function arrayOf(
  artifact: Artifact,
  cas: PlannedWork['workspace']['store']['cas'],
): Promise<ArrayHeader | undefined> {
  let {digest} = artifact;
  if (artifact.kind === 'tree') {
    const bytes = await cas.read(digest);
    const first = bytes && parseTree(Buffer.from(bytes).toString('utf8'))?.entries[0];
    if (!first) return undefined;
    ({digest} = first);
  }
  return cas.holds(digest) ? readArrayHeader(readHead(cas.pathOf(digest), arrayHeaderBytes)) : undefined;
}

function readHead(path: string, bytes: number): Uint8Array {
  const head = Buffer.alloc(bytes);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
}
