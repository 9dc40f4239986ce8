import {describe, expect, test} from 'vitest';
import {membersOf} from '../../../../../stages/lib/learning/class-members.ts';
import {tagScores} from '../../../../../stages/lib/tagging/tag-scores.ts';

describe('scores of tags', () => {
  test('are means over the classes that have what they need', () => {
    // Column 0: hits at ranks 1 and 3. Column 1: no positive. Column 2: all positive, so no area.
    const scores = Float32Array.of(0.9, 0.1, 0.2, 0.5, 0.2, 0.3, 0.4, 0.3, 0.1);
    const members = membersOf(Int32Array.of(0, 2, 0, 1, 2), Int32Array.of(0, 0, 2, 2, 2), 3);
    const found = tagScores(scores, members);
    expect(found.meanPrecision).toBeCloseTo(((1 + 2 / 3) / 2 + 1) / 2, 12);
    expect(found.meanArea).toBeCloseTo(0.5, 12);
    expect(found.classesWithout).toBe(1);
  });

  test('are not numbers when no class counts', () => {
    const members = membersOf(new Int32Array(0), new Int32Array(0), 2);
    expect(tagScores(Float32Array.of(0.1, 0.2), members)).toEqual({
      meanPrecision: NaN,
      meanArea: NaN,
      classesWithout: 2,
    });
  });
});
