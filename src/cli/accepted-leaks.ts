import type {AcceptedLeak} from '../core/leaks.ts';
import type {NodeId} from '../core/pipeline.ts';
import {countText} from '../report/count-text.ts';
import type {Context} from './context.ts';

/** Remarks on each leak that the pipeline accepts, as far as it has to do with these nodes. */
export function noteAcceptedLeaks(
  {note}: Pick<Context, 'note'>,
  accepted: readonly AcceptedLeak[],
  nodes: readonly {readonly id: NodeId}[],
): void {
  for (const {name, reason, readers} of accepted) {
    const concerned = new Set(readers);
    const [first, ...others] = nodes.filter(({id}) => concerned.has(id));
    if (first === undefined) continue;
    const who =
      others.length === 0
        ? `${first.id} reads what \`${name}\` learned from the fold it holds out`
        : `${countText(others.length + 1, 'node')} (${first.id}, …) read what \`${name}\` learned from the folds they hold out`;
    note(`leak accepted: ${who}: ${reason}`);
  }
}
