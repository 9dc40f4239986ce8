import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {membersOf, type ClassMembers} from '../../../../../stages/lib/learning/class-members.ts';
import {dPrime} from '../../../../../stages/lib/learning/metrics.ts';
import {makeReport, type MetricsReport} from '../../../../../stages/lib/learning/report.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {bootstrapClips} from '../../../../../stages/lib/statistics/clip-bootstrap.ts';
import {laneOf, packSamples, WORDS} from '../../../../../stages/lib/statistics/packed-samples.ts';
import {percentileInterval} from '../../../../../stages/lib/statistics/resampling.ts';

const pause = async (): Promise<void> => {};

/** Clips of each sample, by drawing again what `packSamples` draws. */
function samplesOf(seed: number, clips: number, resamples: number): readonly (readonly number[])[] {
  const own = createRng(seed).fork('clips').fork(clips);
  return Array.from({length: resamples}, (_, r) => {
    const stream = own.fork(r);
    return Array.from({length: clips}, () => stream.integer(clips));
  });
}

function membersFrom(truth: readonly (readonly number[])[], classes: number): ClassMembers {
  const pairs = truth.flatMap((labels, row) => labels.map((c) => [row, c] as const));
  return membersOf(
    Int32Array.from(pairs, ([row]) => row),
    Int32Array.from(pairs, ([, c]) => c),
    classes,
  );
}

const data = fc
  .record({classes: fc.integer({min: 1, max: 4}), clips: fc.integer({min: 1, max: 12})})
  .chain(({classes, clips}) =>
    fc.record({
      classes: fc.constant(classes),
      scores: fc.array(fc.integer({min: 0, max: 4}), {minLength: clips * classes, maxLength: clips * classes}),
      truth: fc.array(fc.subarray(Array.from({length: classes}, (_, c) => c)), {minLength: clips, maxLength: clips}),
      resamples: fc.integer({min: 1, max: 150}),
    }),
  );

describe('intervals over the clips', () => {
  test('are those of the reports of all samples, drawn one by one', async () => {
    await fc.assert(
      fc.asyncProperty(data, async ({classes, scores, truth, resamples}) => {
        const clips = truth.length;
        const array = Float32Array.from(scores);
        const options = {resamples, confidence: 0.8};
        const actual = await bootstrapClips(createRng(5), array, membersFrom(truth, classes), options, pause);
        const reports = samplesOf(5, clips, resamples).map((draws) =>
          makeReport(
            'x',
            Float32Array.from(draws.flatMap((row) => scores.slice(row * classes, (row + 1) * classes))),
            membersFrom(draws.map((row) => truth[row] ?? []), classes), // prettier-ignore
            [],
          ),
        );
        for (const score of ['map3', 'map', 'auc', 'accuracy'] as const) {
          const values = reports.map((report: MetricsReport) => report[score]).filter((value) => value !== null);
          const expected = percentileInterval(Float64Array.from(values), 0.8);
          expect(actual[score]?.low ?? -1).toBeCloseTo(expected?.low ?? -1, 12);
          expect(actual[score]?.high ?? -1).toBeCloseTo(expected?.high ?? -1, 12);
        }
        const {auc} = actual;
        const isFinite = auc !== null && auc.low > 0 && auc.high < 1;
        expect(actual.dPrime).toEqual(isFinite ? {low: dPrime(auc.low), high: dPrime(auc.high)} : null);
      }),
      {numRuns: 60},
    );
  });

  test('hold the score, and are the narrower the less they shall hold', async () => {
    const rng = createRng(1);
    const truth = Array.from({length: 300}, (_, i) => [i % 3]);
    const scores = Float32Array.from(truth.flatMap(([own]) => [0, 1, 2].map((c) => rng.uniform() + (c === own ? 0.3 : 0)))); // prettier-ignore
    const members = membersFrom(truth, 3);
    const {map3, map} = makeReport('x', scores, members, []);
    const run = (confidence: number) =>
      bootstrapClips(createRng(2), scores, members, {resamples: 400, confidence}, pause);
    const [wide, narrow] = [await run(0.95), await run(0.5)];
    expect(wide.map3.low).toBeLessThan(narrow.map3.low);
    expect(narrow.map3.low).toBeLessThan(map3);
    expect(narrow.map3.high).toBeGreaterThan(map3);
    expect(wide.map3.high).toBeGreaterThan(narrow.map3.high);
    expect(wide.map?.low).toBeLessThan(map ?? 0);
    expect(await run(0.95)).toEqual(wide);
  });
});

test('packed samples are those that are drawn, whatever their number', () => {
  for (const [clips, resamples] of [
    [1, 3],
    [7, 60],
    [5000, 11],
  ] as const) {
    // prettier-ignore
    const {lanes, base, blocks} = packSamples(createRng(9), clips, resamples);
    expect(base).toBeGreaterThan(clips);
    for (const [r, draws] of samplesOf(9, clips, resamples).entries()) {
      const word = Math.floor(r / lanes);
      const times = Array.from({length: clips}, (_, clip) =>
        laneOf(blocks[Math.floor(word / WORDS)]?.[clip * WORDS + (word % WORDS)] ?? -1, base ** (r % lanes), base),
      );
      const expected = Array.from({length: clips}, () => 0);
      for (const clip of draws) expected[clip] = (expected[clip] ?? 0) + 1;
      expect(times).toEqual(expected);
    }
  }
});
