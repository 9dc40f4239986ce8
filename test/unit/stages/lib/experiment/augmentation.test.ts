import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {planCopies, type CopyPlan} from '../../../../../stages/lib/experiment/augmentation.ts';
import type {Clip} from '../../../../../stages/lib/experiment/dataset.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

function clip(key: string, label: string, fold = 1): Clip {
  return {key, label, classIndex: 0, verified: true, split: fold === 0 ? 'test' : 'train', fold, group: '', parent: ''};
}

function clipsOf(counts: Readonly<Record<string, number>>): readonly Clip[] {
  return Object.entries(counts).flatMap(([label, count]) =>
    Array.from({length: count}, (_, i) => clip(`${label}/${i}`, label, 1 + (i % 5))),
  );
}

function plan(clips: readonly Clip[], perClass: number, maxSemitones = 12, seed = 1): CopyPlan {
  return planCopies(clips, {perClass, maxSemitones}, createRng(seed));
}

/** Shifts of each clip of a label. */
function shiftsOf({copies}: CopyPlan, label: string): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    copies.flatMap(({parent, semitones}) => (parent.label === label ? [[parent.key, semitones]] : [])),
  );
}

const counts = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({min: 1, max: 30}), {minKeys: 1});
const sizes = {counts, perClass: fc.integer({min: 0, max: 200}), max: fc.integer({min: 1, max: 12}), seed: fc.nat()};

describe('planCopies', () => {
  test('fills every class evenly, no pair of clip and shift twice, never by 0', () => {
    fc.assert(
      fc.property(fc.record(sizes), ({counts: given, perClass, max, seed}) => {
        const result = plan(clipsOf(given), perClass, max, seed);
        for (const [label, own] of Object.entries(given)) {
          const shifts = Object.values(shiftsOf(result, label));
          const wanted = Math.max(0, perClass - own);
          const made = shifts.reduce((sum, list) => sum + list.length, 0);
          expect(made).toBe(Math.min(wanted, own * 2 * max));
          const missing = result.short.find((entry) => entry.label === label)?.missing ?? 0;
          expect(missing).toBe(wanted - made);
          const numbers = [...shifts.map((list) => list.length), ...Array<number>(own - shifts.length).fill(0)];
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
          for (const list of shifts) {
            expect(new Set(list).size).toBe(list.length);
            expect(list.every((n) => Number.isInteger(n) && n !== 0 && Math.abs(n) <= max)).toBe(true);
          }
        }
      }),
    );
  });

  test('a clip added to one class leaves the others as they are, and the shifts of its own class in their order', () => {
    fc.assert(
      fc.property(fc.record(sizes), ({counts: given, perClass, max, seed}) => {
        const clips = clipsOf({...given, a: 7});
        const before = plan(clips, perClass, max, seed);
        const after = plan([clip('a/new', 'a'), ...clips], perClass, max, seed);
        for (const label of Object.keys(given).filter((own) => own !== 'a')) {
          expect(shiftsOf(after, label)).toEqual(shiftsOf(before, label));
        }
        const [old, now] = [shiftsOf(before, 'a'), shiftsOf(after, 'a')];
        for (const key of Object.keys(now).filter((own) => own !== 'a/new')) {
          expect(old[key]).toEqual(expect.arrayContaining([...(now[key] ?? [])]));
        }
      }),
    );
  });

  test('clips to test on are not copied and count for nothing', () => {
    const result = plan([clip('x', 'a'), clip('t1', 'a', 0), clip('t2', 'b', 0)], 3);
    expect(result.copies.map(({parent, semitones}) => [parent.key, semitones.length])).toEqual([['x', 2]]);
    expect(result.short).toEqual([]);
  });

  test('every shift is equally likely, and the clips with one copy more are drawn', () => {
    const uses = new Map<number, number>();
    const more = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      for (const {parent, semitones} of plan(clipsOf({a: 6}), 15, 3, seed).copies) {
        for (const n of semitones) uses.set(n, (uses.get(n) ?? 0) + 1);
        if (semitones.length === 2) more.set(parent.key, (more.get(parent.key) ?? 0) + 1);
      }
    }
    // 9 copies of each seed over 6 shifts, and 3 of 6 clips have two. The deviation of each is below 17.
    expect([...uses.keys()].sort((a, b) => a - b)).toEqual([-3, -2, -1, 1, 2, 3]);
    for (const count of uses.values()) expect(Math.abs(count - 600)).toBeLessThan(75);
    expect(more.size).toBe(6);
    for (const count of more.values()) expect(Math.abs(count - 200)).toBeLessThan(50);
  });

  test('600 a class of the sizes of FSDKaggle2018 can be had for all but the smallest classes', () => {
    const result = plan(clipsOf({Glockenspiel: 94, Bus: 109, Bark: 239, Flute: 300}), 600);
    expect(result.short).toEqual([]);
    const tiny = plan(clipsOf({Gong: 2}), 600);
    expect(tiny.short).toEqual([{label: 'Gong', clips: 2, missing: 550}]);
    expect(shiftsOf(tiny, 'Gong')['Gong/0']).toEqual(Array.from({length: 25}, (_, i) => i - 12).filter((n) => n !== 0));
  });
});
