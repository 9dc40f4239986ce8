import type {Outcome} from '../../core/plan.ts';
import type {PageNode} from '../../report/page-data.ts';

/** Outcomes, the ones to look at first in front. */
export const OUTCOMES: readonly Outcome[] = ['failed', 'blocked', 'cancelled', 'executed', 'cached', 'up-to-date'];

/** The sign that stands before an outcome's word, so that colour is never all there is. */
export const OUTCOME_SIGNS: Readonly<Record<Outcome, string>> = {
  failed: '✕',
  blocked: '⊘',
  cancelled: '◌',
  executed: '●',
  cached: '◐',
  'up-to-date': '✓',
};

/** How many of the nodes have each outcome, without those that none has. */
export function outcomeCounts(nodes: readonly PageNode[]): readonly (readonly [Outcome, number])[] {
  const counts = new Map<Outcome, number>();
  for (const {outcome} of nodes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return OUTCOMES.flatMap((outcome) => {
    const count = counts.get(outcome);
    return count === undefined ? [] : [[outcome, count] as const];
  });
}

/** The outcome to look at first of many nodes' outcomes. */
export function worstOutcome(nodes: readonly PageNode[]): Outcome {
  return outcomeCounts(nodes)[0]?.[0] ?? 'up-to-date';
}

/** Why a node has its outcome, a line each; never empty. What held a node up comes before what it would have run for. */
export function reasonsOf({outcome, reasons, failure}: PageNode): readonly [string, ...string[]] {
  const [first = outcomeText(outcome), ...rest] =
    failure !== undefined && outcome !== 'failed' ? [failure.message, ...reasons] : reasons;
  return [first, ...rest];
}

function outcomeText(outcome: Outcome): string {
  switch (outcome) {
    case 'up-to-date':
      return 'nothing that it is made from has changed';
    case 'cached':
      return 'the same work has been done before';
    case 'blocked':
      return 'something that it needs did not come about';
    case 'cancelled':
      return 'the run ended before it did';
    case 'executed':
    case 'failed':
      return 'no reason is recorded';
  }
}
