import fc from 'fast-check';
import {expect, it} from 'vitest';
import {criticalSteps} from '../../../src/page/model/critical-steps.ts';
import {curveSummary, drawable, drawnFirst, hasPositive} from '../../../src/page/model/curve-data.ts';
import {heatStep, hits, rowShares} from '../../../src/page/model/heat.ts';
import {nextSpan} from '../../../src/page/model/span-moves.ts';
import {timeTicks} from '../../../src/page/model/time-ticks.ts';
import {pageData} from '../../support/page-data.ts';

const {timeline} = pageData();

it('has a step of colour for each share, the lowest for none at all', () => {
  expect([0, Number.NaN, 0.001, 0.5, 0.999, 1].map(heatStep)).toEqual([0, 0, 1, 4, 7, 7]);
});

it('takes shares of rows and counts what is on the diagonal', () => {
  const counts = [
    [3, 1],
    [0, 0],
  ];
  expect(rowShares(counts)).toEqual([
    [0.75, 0.25],
    [0, 0],
  ]);
  expect(hits(counts)).toEqual({right: 3, all: 4});
});

it('draws no value that a logarithmic axis has no place for', () => {
  expect(drawable([1, 0, -1, null, Infinity], true)).toEqual([1, null, null, null, null]);
  expect(drawable([1, 0, -1, null], false)).toEqual([1, 0, -1, null]);
  expect(hasPositive([{name: 'a', values: [0, null]}])).toBe(false);
});

it('draws counters only when there is nothing else', () => {
  const epoch = {name: 'epoch', values: [1, 1, 2, null, 3]};
  const loss = {name: 'loss', values: [2.5, 2]};
  const falling = {name: 'left', values: [3, 2]};
  expect(drawnFirst([epoch, loss, falling])).toEqual([false, true, true]);
  expect(drawnFirst([epoch])).toEqual([true]);
});

it('says in words what lines show', () => {
  const x = {name: 'epoch', values: [1, 2, 3]};
  const lines = [
    {name: 'loss', values: [3, null, 1]},
    {name: 'none', values: [null, null, null]},
  ];
  expect(curveSummary(x, lines, String)).toBe('loss: from 3 to 1, lowest 1 at epoch 3; none: no values');
});

it('ticks at round times from zero, about as many as asked for', () => {
  expect(timeTicks(65_000, 6)).toEqual([0, 20_000, 40_000, 60_000]);
  expect(timeTicks(0, 6)).toEqual([0]);
  fc.assert(
    fc.property(fc.integer({min: 1, max: 10 ** 10}), (endMs) => {
      const ticks = timeTicks(endMs, 6);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(ticks.at(-1)).toBeLessThanOrEqual(endMs);
    }),
  );
});

it('moves among spans in time and to the same time on another lane', () => {
  const at = (lane: number, span: number): {lane: number; at: number} => ({lane, at: span});
  expect(nextSpan(timeline.lanes, at(0, 0), 'ArrowRight')).toEqual(at(0, 1));
  expect(nextSpan(timeline.lanes, at(0, 0), 'ArrowLeft')).toBeUndefined();
  expect(nextSpan(timeline.lanes, at(0, 2), 'ArrowDown')).toEqual(at(1, 1));
  expect(nextSpan(timeline.lanes, at(1, 0), 'ArrowUp')).toEqual(at(0, 1));
  expect(nextSpan(timeline.lanes, at(1, 0), 'ArrowDown')).toBeUndefined();
  expect(nextSpan(timeline.lanes, at(0, 1), 'End')).toEqual(at(0, 2));
  expect(nextSpan(timeline.lanes, at(0, 1), 'a')).toBeUndefined();
});

it('gives the critical path its times, lanes and shares', () => {
  expect(criticalSteps(timeline)).toEqual([
    {node: 'features', wallMs: 20_000, lane: 'cpu, lane 1', share: 20 / 65},
    {node: 'train[fold=2,levels=h1]', wallMs: 21_000, lane: 'gpu 0', share: 21 / 65},
    {node: 'tables', wallMs: 20_000, lane: 'cpu, lane 1', share: 20 / 65},
  ]);
});
