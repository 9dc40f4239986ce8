import type {RecheckCounts} from '../core/events.ts';
import {countText} from './count-text.ts';

/** `3 of 240 results of others made again: all agree`. */
export function recheckText({taken, agreed, differed, undecided, failed, tooLong}: RecheckCounts): string {
  const made = agreed + differed + undecided;
  const parts = [
    ...(differed > 0 ? [`${differed} wrong`] : []),
    ...(undecided > 0 ? [`${undecided} cannot be told`] : []),
    ...(agreed > 0 ? [made === agreed ? 'all agree' : `${agreed} agree`] : []),
    ...(failed > 0 ? [`${failed} could not be made here`] : []),
    ...(tooLong > 0 ? [`${tooLong} passed over since they take long`] : []),
  ];
  const head = `${made} of ${countText(taken, 'result')} of others made again`;
  return parts.length === 0 ? head : `${head}: ${parts.join(', ')}`;
}
