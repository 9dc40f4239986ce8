import {expect, test} from 'vitest';
import {restoreUtilities} from '../../../../../stages/lib/tensors/tensorflow-backend.ts';

test('the functions that Node 23 removed are given back, those that are there stay', () => {
  const kept = (): boolean => false;
  const util: Record<string, unknown> = {isArray: kept};
  restoreUtilities(util);
  expect(util['isArray']).toBe(kept);
  const isNullOrUndefined = util['isNullOrUndefined'] as (value: unknown) => boolean;
  expect([null, undefined, 0, '', false].map(isNullOrUndefined)).toEqual([true, true, false, false, false]);
  const bare: Record<string, unknown> = {};
  restoreUtilities(bare);
  expect((bare['isArray'] as typeof Array.isArray)([])).toBe(true);
});
