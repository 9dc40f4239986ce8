import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {ClassMembers} from '../../../../../stages/lib/learning/class-members.ts';
import {averagePrecisionAt3, topClass} from '../../../../../stages/lib/learning/metrics.ts';
import {rankClasses, rankScores} from '../../../../../stages/lib/learning/ranking.ts';
import {makeReport} from '../../../../../stages/lib/learning/report.ts';
import {topThree} from '../../../../../stages/lib/learning/top-three.ts';

interface Golden {
  /** Scores x 1000, (clips, classes). */
  readonly thousandths: readonly (readonly number[])[];
  /** Classes of each clip. */
  readonly truth: readonly (readonly number[])[];
  readonly ap: readonly (number | null)[];
  readonly auc: readonly (number | null)[];
  readonly ap3: readonly (number | null)[];
  readonly map3: number;
  readonly accuracy: number;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/statistics/multi-label.json', import.meta.url), 'utf8'),
) as Golden;

function membersFrom(truth: readonly (readonly number[])[], classes: number): ClassMembers {
  const own = Array.from({length: classes}, (_, c) =>
    truth.flatMap((labels, row) => (labels.includes(c) ? [row] : [])),
  );
  const starts = Int32Array.from({length: classes + 1}, (_, c) => own.slice(0, c).flat().length);
  return {classes, rows: Int32Array.from(own.flat()), starts};
}

function expectAll(actual: readonly (number | null)[], expected: readonly (number | null)[]): void {
  expect(actual.map((value) => value === null)).toEqual(expected.map((value) => value === null));
  for (const [i, value] of actual.entries()) expect(Math.abs((value ?? 0) - (expected[i] ?? 0))).toBeLessThan(1e-9);
}

describe('a report of clips of several classes', () => {
  const classes = golden.ap.length;
  const scores = Float32Array.from(golden.thousandths.flat(), (value) => Math.fround(value / 1000));
  const labels = Array.from({length: classes}, (_, c) => `c${c}`);
  const report = makeReport('x', scores, membersFrom(golden.truth, classes), labels);

  test('equals scikit-learn and ml_metrics', () => {
    expectAll(
      report.perClass.map(({ap}) => ap),
      golden.ap,
    );
    expectAll(
      report.perClass.map(({auc}) => auc),
      golden.auc,
    );
    expectAll(
      report.perClass.map(({ap3}) => ap3),
      golden.ap3,
    );
    expectAll([report.map3, report.accuracy], [golden.map3, golden.accuracy]);
  });

  test('says which classes are not defined: that of no clip, and that of all', () => {
    expect(report.undefined).toEqual(['c3', 'c5']);
    expect(report.multiLabel).toBe(true);
    const defined = golden.ap.filter((value) => value !== null);
    expect(report.map).toBeCloseTo(defined.reduce((sum, value) => sum + value, 0) / (classes - 1), 12);
    expect(report).toMatchObject({clips: golden.truth.length, classes});
  });
});

const scoredItems = fc.array(fc.record({score: fc.integer({min: -3, max: 3}), isPositive: fc.boolean()}), {
  maxLength: 40,
});

describe('rankScores', () => {
  test('equals its definition over all pairs and thresholds', () => {
    fc.assert(
      fc.property(scoredItems, (items) => {
        const {averagePrecision, areaUnderRoc} = rankScores(
          Float32Array.from(items, ({score}) => score / 3),
          Uint8Array.from(items, ({isPositive}) => (isPositive ? 1 : 0)),
        );
        const positives = items.filter(({isPositive}) => isPositive);
        const negatives = items.filter(({isPositive}) => !isPositive);
        const wins = positives.flatMap((p) =>
          negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
        );
        const area = wins.length === 0 ? undefined : wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        if (area === undefined) expect(areaUnderRoc).toBeUndefined();
        else expect(areaUnderRoc).toBeCloseTo(area, 12);
        // Each positive at the precision of what scores as high as it does or higher.
        const precisions = positives.map(
          ({score}) => positives.filter((p) => p.score >= score).length / items.filter((i) => i.score >= score).length,
        );
        if (positives.length === 0) expect(averagePrecision).toBeUndefined();
        else expect(averagePrecision).toBeCloseTo(precisions.reduce((sum, p) => sum + p, 0) / positives.length, 12);
      }),
    );
  });

  test('a zero of either sign is one score', () => {
    const ranking = rankScores(Float32Array.of(0, -0, -0, 0), Uint8Array.of(1, 1, 0, 0));
    expect(ranking).toEqual({averagePrecision: 0.5, areaUnderRoc: 0.5});
  });
});

describe('rankClasses', () => {
  test('more classes than are gathered at once', () => {
    const classes = 37;
    const scores = Float32Array.from({length: 20 * classes}, (_, i) => ((i * 7919) % 101) / 101);
    const truth = Array.from({length: 20}, (_, row) => [row % 5, (row * 11) % classes, 36]);
    const rankings = rankClasses(scores, membersFrom(truth, classes));
    expect(rankings).toEqual(
      Array.from({length: classes}, (_, c) =>
        rankScores(
          scores.filter((_, i) => i % classes === c),
          Uint8Array.from(truth, (labels) => (labels.includes(c) ? 1 : 0)),
        ),
      ),
    );
    expect(rankings[36]).toMatchObject({areaUnderRoc: undefined, averagePrecision: 1});
  });
});

describe('topThree', () => {
  test('with one class a row it is the rank of the class, ties included', () => {
    const row = fc.record({
      scores: fc.array(fc.integer({min: 0, max: 3}), {minLength: 5, maxLength: 5}),
      own: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(row, {minLength: 1, maxLength: 6}), (rows) => {
        const truth = rows.map(({own}) => [own]);
        const scores = Float32Array.from(rows.flatMap((one) => one.scores));
        const {averagePrecisions, isTopHit} = topThree(scores, membersFrom(truth, 5));
        expect([...averagePrecisions]).toEqual(rows.map(({scores, own}) => averagePrecisionAt3(scores, own)));
        expect([...isTopHit]).toEqual(rows.map(({scores, own}) => (topClass(scores) === own ? 1 : 0)));
      }),
    );
  });

  test('fewer than three classes, and a row without any', () => {
    const {averagePrecisions, isTopHit} = topThree(Float32Array.of(0.2, 0.8, 0.9, 0.1), membersFrom([[0, 1], []], 2));
    expect([[...averagePrecisions], [...isTopHit]]).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});
