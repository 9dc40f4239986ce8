import type {RecheckRequest} from '../../engine/rechecks.ts';
import {compareValues} from '../../pins/values.ts';
import type {Store} from '../../store/store.ts';
import {numbersIn} from './scope.ts';

/** Whether two results agree within what `compare` and `compareMetrics` allow, as a result and its pin do. */
export function agreementIn(store: Store): RecheckRequest['agrees'] {
  const read = numbersIn(store);
  return async (node, theirs, ours) => {
    if (namesOf(theirs.outputs) !== namesOf(ours.outputs)) return false;
    const pinned = await compareValues(node, theirs, undefined, read);
    const {drifts} = await compareValues(node, ours, pinned, read);
    return drifts.length === 0;
  };
}

function namesOf(outputs: object): string {
  return Object.keys(outputs).sort().join('\n');
}
