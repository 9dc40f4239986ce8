import type {OutputCompare, Tolerance} from '../core/compare.ts';
import {byCodeUnit} from '../core/json.ts';
import type {Difference, Drift, MetricDrift} from '../core/pin-check.ts';
import type {Pin, PinnedNumbers, PinnedOutput} from '../core/pins.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {Artifact} from '../core/tree.ts';
import {allowedFor, differenceOf} from './difference.ts';

/** What a node made here. */
export interface NodeResult {
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** A result in the words of a pin, and how it differs from the pinned one; without a pin it differs in nothing. */
export interface Values {
  readonly outputs: Readonly<Record<string, PinnedOutput>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly drifts: readonly Drift[];
}

/** Reads an output's numbers. Undefined when its bytes are not here. */
export type ReadNumbers = (artifact: Artifact, as: PinnedNumbers['as']) => Promise<PinnedNumbers | undefined>;

/**
 * Compares a node's result with its pin. Bytes are read only where an output is compared as numbers and its bytes are not
 * those that are pinned.
 */
export async function compareValues(
  node: Pick<PipelineNode, 'outputs' | 'compareMetrics'>,
  result: NodeResult,
  pin: Pick<Pin, 'outputs' | 'metrics'> | undefined,
  read: ReadNumbers,
): Promise<Values> {
  const outputs: Record<string, PinnedOutput> = {};
  const drifts: Drift[] = [];
  for (const name of Object.keys(result.outputs).sort(byCodeUnit)) {
    const artifact = result.outputs[name]!;
    const compare = node.outputs[name]?.compare;
    const pinned = pin && Object.hasOwn(pin.outputs, name) ? pin.outputs[name] : undefined;
    const same = pinned?.hash === artifact.digest.hash && pinned.kind === artifact.kind;
    const output = {...plain(artifact), ...(await numbersFor(artifact, compare, same ? pinned : undefined, read))};
    outputs[name] = output;
    if (pinned === undefined || same) continue;
    const drift = outputDrift(pinned, output, compare);
    if (drift) drifts.push({of: 'output', name, ...drift});
  }
  drifts.push(...metricDrifts(pin?.metrics, result.metrics, node.compareMetrics ?? {}));
  return {outputs, metrics: result.metrics, drifts};
}

async function numbersFor(
  artifact: Artifact,
  compare: OutputCompare | undefined,
  same: PinnedOutput | undefined,
  read: ReadNumbers,
): Promise<{readonly numbers?: PinnedNumbers}> {
  if (compare === undefined || compare === 'none') return {};
  if (same?.numbers?.as === compare.as) return {numbers: same.numbers};
  const numbers = await read(artifact, compare.as);
  return numbers === undefined ? {} : {numbers};
}

function plain(artifact: Artifact): PinnedOutput {
  const {hash, size} = artifact.digest;
  if (artifact.kind === 'file') return {kind: 'file', hash, size};
  return {kind: 'tree', hash, size: artifact.bytes, files: artifact.files};
}

function outputDrift(
  before: PinnedOutput,
  after: PinnedOutput,
  compare: OutputCompare | undefined,
): Difference | {readonly kind: 'bytes'; readonly before: number; readonly after: number} | undefined {
  if (compare === 'none') return undefined;
  const bytes = {kind: 'bytes', before: before.size, after: after.size} as const;
  if (compare === undefined || before.kind !== after.kind || !before.numbers) return bytes;
  // Its bytes lie elsewhere, or nothing needed them: as without a result here there is nothing to compare.
  if (!after.numbers) return undefined;
  return differenceOf(before.numbers, after.numbers, compare);
}

/** The metrics that are not what is pinned, beyond the tolerance; none of a node that is not pinned. */
export function metricDrifts(
  before: Readonly<Record<string, number>> | undefined,
  after: Readonly<Record<string, number>>,
  tolerance: Tolerance | 'none',
): readonly MetricDrift[] {
  if (before === undefined || tolerance === 'none') return [];
  const drifts: MetricDrift[] = [];
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byCodeUnit)) {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(after, name) ? after[name] : undefined;
    const allowed = allowedFor(tolerance, was ?? 0);
    if (was === undefined || is === undefined || !(Math.abs(is - was) <= allowed)) {
      drifts.push({
        of: 'metric',
        name,
        ...(was === undefined ? {} : {before: was}),
        ...(is === undefined ? {} : {after: is}),
        allowed,
      });
    }
  }
  return drifts;
}
