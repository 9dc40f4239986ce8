import {describe, expect, test} from 'vitest';
import {tagScores} from '../../../../../stages/lib/tagging/tag-scores.ts';

const {signal} = new AbortController();

describe('scores of tags', () => {
  test('are means over the classes that have what they need', async () => {
    // Column 0: hits at ranks 1 and 3. Column 1: no positive. Column 2: all positive, so no area.
    const scores = Float32Array.of(0.9, 0.1, 0.2, 0.5, 0.2, 0.3, 0.4, 0.3, 0.1);
    const targets = Float32Array.of(1, 0, 1, 0, 0, 1, 1, 0, 1);
    const found = await tagScores(scores, targets, 3, signal);
    expect(found.meanPrecision).toBeCloseTo(((1 + 2 / 3) / 2 + 1) / 2, 12);
    expect(found.meanArea).toBeCloseTo(0.5, 12);
    expect(found.classesWithout).toBe(1);
  });

  test('are not numbers when no class counts', async () => {
    const found = await tagScores(Float32Array.of(0.1, 0.2), new Float32Array(2), 2, signal);
    expect(found).toEqual({meanPrecision: NaN, meanArea: NaN, classesWithout: 2});
  });

  test('stop when told to', async () => {
    const stopped = AbortSignal.abort(new Error('stop'));
    await expect(tagScores(new Float32Array(2), new Float32Array(2), 2, stopped)).rejects.toThrow('stop');
  });
});
