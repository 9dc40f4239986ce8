import type {NodeId} from '../../core/pipeline.ts';
import type {PageTimeline} from '../../report/page-data.ts';

/** A node on the critical path: from its first to its last span. */
export interface CriticalStep {
  readonly node: NodeId;
  readonly wallMs: number;
  /** The lane that it was on; empty when it was on several or none. */
  readonly lane: string;
  /** Of the whole run, 0 to 1. */
  readonly share: number;
}

/** The critical path with times and places. */
export function criticalSteps({lanes, criticalPath, endMs}: PageTimeline): readonly CriticalStep[] {
  const wanted = new Set(criticalPath);
  const found = new Map<NodeId, {fromMs: number; toMs: number; lanes: Set<string>}>();
  for (const {name, spans} of lanes) {
    for (const {node, fromMs, toMs} of spans) {
      if (!wanted.has(node)) continue;
      const step = found.get(node) ?? {fromMs, toMs, lanes: new Set<string>()};
      step.fromMs = Math.min(step.fromMs, fromMs);
      step.toMs = Math.max(step.toMs, toMs);
      found.set(node, {...step, lanes: step.lanes.add(name)});
    }
  }
  return criticalPath.map((node) => {
    const step = found.get(node);
    const wallMs = step === undefined ? 0 : step.toMs - step.fromMs;
    const [lane = '', ...others] = step?.lanes ?? [];
    return {node, wallMs, lane: others.length === 0 ? lane : '', share: endMs > 0 ? wallMs / endMs : 0};
  });
}
