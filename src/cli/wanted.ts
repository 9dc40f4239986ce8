import {didYouMean} from '../core/closest.ts';
import {failure} from '../core/failure.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import {parseReference} from '../core/reference.ts';
import {err, ok, type Result} from '../core/result.ts';
import {matchNodes} from '../core/selection.ts';
import {countText} from '../report/count-text.ts';
import type {Known} from './commands/show-node.ts';
import type {Loaded} from './load.ts';
import type {PlannedWork} from './planning.ts';

/** A node that somebody named, one of its outputs, or an entry of an output that is a tree. */
export interface Wanted {
  readonly node: PipelineNode;
  readonly output?: string;
  readonly entry?: string;
}

/**
 * Reads `node`, `node[axis=value].output` or `node.output/path/in/tree`; it must name one node.
 *
 * @param taker - the command that takes it, for messages
 */
export function resolveWanted({pipeline, graph}: Loaded, what: string, taker: string): Result<Wanted> {
  const {head, entry} = splitEntry(what);
  const parsed = parseReference(head);
  if (!parsed.ok) {
    return err([
      failure('usage', `\`${what}\` names nothing to ${taker}: ${parsed.error.message}`, {
        hint: 'write node, node.output, or node.output/path for an entry of a tree',
      }),
    ]);
  }
  const matched = matchNodes(pipeline, graph, parsed.value);
  if (!matched.ok) return err([matched.error]);
  const [index] = matched.value;
  if (index === undefined || matched.value.length !== 1) {
    const examples = matched.value.slice(0, 3).map((each) => graph.nodes[each]?.id ?? '');
    return err([
      failure('usage', `\`${head}\` names ${countText(matched.value.length, 'node')}; ${taker} takes one`, {
        hint: `such as ${examples.join(', ')}`,
      }),
    ]);
  }
  const node = graph.nodes[index]!;
  const {output} = parsed.value;
  if (output !== undefined && !Object.hasOwn(node.outputs, output)) {
    const hint = didYouMean(output, Object.keys(node.outputs));
    return err([failure('unknown-output', `${node.id} has no output \`${output}\``, hint === undefined ? {} : {hint})]);
  }
  return ok({node, ...(output === undefined ? {} : {output}), ...(entry === undefined ? {} : {entry})});
}

/** The node's result as it is now, or its last one when it is stale; undefined before the first. */
export function knownResult(id: NodeId, {plan, workspace}: PlannedWork): Known | undefined {
  const planned = plan.nodes.find(({node}) => node.id === id);
  if (planned?.outputs && (planned.status === 'up-to-date' || planned.status === 'cached')) {
    const {outputs, metrics = {}, fingerprint} = planned;
    return {outputs, metrics, stale: false, ...(fingerprint === undefined ? {} : {fingerprint})};
  }
  const last = workspace.state.get(id);
  if (last === undefined) return undefined;
  return {outputs: last.outputs, metrics: last.metrics, fingerprint: last.fingerprint, stale: true};
}

/** The entry's path begins at the first slash outside the brackets. */
function splitEntry(what: string): {readonly head: string; readonly entry?: string} {
  const [head = ''] = /^[^[/]*(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])?[^/]*/.exec(what) ?? [];
  return head.length < what.length ? {head, entry: what.slice(head.length + 1)} : {head};
}
