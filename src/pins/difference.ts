import type {Tolerance} from '../core/compare.ts';
import type {Difference} from '../core/pin-check.ts';
import type {PinnedNumbers} from '../core/pins.ts';
import {rootMeanSquare} from './sketch.ts';

/** How far a number may be from the pinned one. */
export function allowedFor({absolute = 0, relative = 0, digits}: Tolerance, pinned: number): number {
  // A little more than half a unit of the last place: the halves themselves are seldom exact in binary.
  const rounding = digits === undefined ? 0 : 0.5 * 10 ** -digits * (1 + 1e-9);
  return absolute + rounding + relative * Math.abs(pinned);
}

/** Undefined when the numbers agree within the tolerance and all else is the same. */
export function differenceOf(
  before: PinnedNumbers,
  after: PinnedNumbers,
  tolerance: Tolerance,
): Difference | undefined {
  if (before.as !== after.as || before.form !== after.form || before.count !== after.count) return {kind: 'form'};
  const {count} = before;
  if (before.values !== undefined && after.values !== undefined) {
    return worstOf(before.values, after.values, tolerance);
  }
  const [was, is] = [before.sketch ?? [], after.sketch ?? []];
  if (was.length !== is.length) return {kind: 'form'};
  const difference = rootMeanSquare(
    is.map((sum, index) => sum - (was[index] ?? 0)),
    count,
  );
  const allowed = allowedFor(tolerance, rootMeanSquare(was, count));
  return difference <= allowed ? undefined : {kind: 'many', count, difference, allowed};
}

function worstOf(before: readonly number[], after: readonly number[], tolerance: Tolerance): Difference | undefined {
  let worst: (Difference & {kind: 'number'}) | undefined;
  let most = 0;
  before.forEach((pinned, index) => {
    const value = after[index] ?? NaN;
    const allowed = allowedFor(tolerance, pinned);
    const beyond = Math.abs(value - pinned) - allowed;
    if (beyond <= most) return;
    most = beyond;
    worst = {kind: 'number', index, count: before.length, before: pinned, after: value, allowed};
  });
  return worst;
}
