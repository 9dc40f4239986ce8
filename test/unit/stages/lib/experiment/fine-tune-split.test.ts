import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Clip} from '../../../../../stages/lib/experiment/dataset.ts';
import {splitClips, untrainedLabels, type SplitOptions} from '../../../../../stages/lib/experiment/fine-tune-split.ts';

const options: SplitOptions = {
  fold: 0,
  order: 'key',
  seed: 1,
  validation: 'last',
  validationClips: 2,
  validationFraction: 0.5,
};

function clip(key: string, rest: Partial<Clip> = {}): Clip {
  return {key, label: 'a', classIndex: 0, verified: true, split: 'train', fold: 1, group: '', parent: '', ...rest};
}

function keysOf(clips: readonly Clip[], change: Partial<SplitOptions> = {}): [train: string, validate: string] {
  const {training, validation} = splitClips(clips, {...options, ...change});
  return [training.map(({key}) => key).join(''), validation.map(({key}) => key).join('')];
}

const five = ['a', 'b', 'c', 'd', 'e'].map((key) => clip(key));

describe('splitClips', () => {
  test('takes one end of the train clips in order of their keys', () => {
    expect(keysOf(five)).toEqual(['abc', 'de']);
    expect(keysOf(five, {validation: 'first'})).toEqual(['cde', 'ab']);
  });

  test('takes a rounded part where no number is given, at least one', () => {
    expect(keysOf(five, {validationClips: 0, validationFraction: 0.3})).toEqual(['abc', 'de']);
    expect(keysOf(five, {validationClips: 0, validationFraction: 0.01})).toEqual(['abcd', 'e']);
  });

  test('by default splits FSDKaggle2018 as the reference does', () => {
    const clips = Array.from({length: 9473}, (_, i) => clip(String(i).padStart(4, '0')));
    const {training, validation} = splitClips(clips, {...options, validationClips: 0, validationFraction: 0.1555});
    expect([training.length, validation.length]).toEqual([8000, 1473]);
  });

  test('in random order takes others for another seed, and no other for a clip more', () => {
    const clips = Array.from({length: 50}, (_, i) => clip(String(i).padStart(2, '0')));
    const chosen = (of: readonly Clip[], seed: number): readonly string[] =>
      splitClips(of, {...options, order: 'random', seed, validationClips: 20}).validation.map(({key}) => key);
    const keys = chosen(clips, 1);
    expect(keys).toEqual(keys.toSorted((a, b) => Number(a) - Number(b)));
    expect(keys).not.toEqual(chosen(clips, 2));
    expect(keys.filter((key) => Number(key) < 30).length).toBeGreaterThan(5);
    const more = new Set(chosen([...clips, clip('x')], 1));
    expect(keys.filter((key) => !more.has(key)).length).toBeLessThanOrEqual(1);
    const first = splitClips(clips, {...options, order: 'random', validation: 'first', validationClips: 30});
    expect(first.training.map(({key}) => key)).toEqual(keys);
  });

  test('tells which labels validate and do not train', () => {
    const clips = [clip('a'), clip('b', {label: 'b'}), clip('c', {label: 'b'}), clip('d', {label: 'c'}), clip('e')];
    expect(untrainedLabels(splitClips(clips, options))).toEqual(['c']);
    expect(untrainedLabels(splitClips(clips, {...options, validationClips: 1}))).toEqual([]);
  });

  test('leaves out test clips and the clips of the fold', () => {
    const clips = [clip('a'), clip('b', {fold: 2}), clip('c', {split: 'test', fold: 0}), clip('d'), clip('e')];
    expect(keysOf(clips, {validationClips: 1})).toEqual(['abd', 'e']);
    expect(keysOf(clips, {validationClips: 1, fold: 2})).toEqual(['ad', 'e']);
  });

  test('a copy trains if its recording does and never validates', () => {
    const clips = [clip('a'), clip('a2', {parent: 'a'}), clip('b'), clip('c'), clip('c2', {parent: 'c'})];
    expect(keysOf(clips, {validationClips: 1})).toEqual(['aa2b', 'c']);
    expect(keysOf(clips, {validationClips: 1, validation: 'first'})).toEqual(['bcc2', 'a']);
  });

  test('all of a group that the cut goes through validates', () => {
    const clips = [clip('a'), clip('b', {group: 'g'}), clip('c'), clip('d', {group: 'g'}), clip('e')];
    expect(keysOf(clips)).toEqual(['ac', 'bde']);
  });

  test('says what is wrong when one side is empty', () => {
    expect(() => keysOf(five, {validationClips: 5})).toThrow('5 clips are to validate, and there are 5 train clips');
    expect(() => keysOf(five, {validationClips: 1, fold: 1})).toThrow('there are 0 train clips outside fold 1');
    const group = [clip('a', {group: 'g'}), clip('b', {group: 'g'})];
    expect(() => keysOf(group, {validationClips: 1})).toThrow('no clip is left to train on');
  });

  test('nothing of a validating clip trains, whatever the groups and copies', () => {
    const recording = fc.record({group: fc.constantFrom('', 'g', 'h'), fold: fc.integer({min: 1, max: 3})});
    fc.assert(
      fc.property(
        fc.array(recording, {minLength: 3, maxLength: 20}),
        fc.array(fc.nat(), {maxLength: 10}),
        fc.constantFrom('first', 'last'),
        fc.constantFrom('key', 'random'),
        (recordings, copied, validation, order) => {
          const own = recordings.map(({group, fold}, i) => clip(`r${String(i).padStart(2, '0')}`, {group, fold}));
          const copies = copied.map((n, i) => {
            const {key, group, fold} = own[n % own.length] as Clip;
            return clip(`x${i}`, {parent: key, group, fold});
          });
          let split;
          try {
            split = splitClips([...own, ...copies], {...options, validation, order, validationClips: 1});
          } catch {
            return;
          }
          const keys = new Set(split.validation.map(({key}) => key));
          const groups = new Set(split.validation.map(({group}) => group).filter(Boolean));
          for (const {key, parent, group} of split.training) {
            expect(keys.has(key) || keys.has(parent) || groups.has(group)).toBe(false);
          }
          const known = [...split.training.filter(({parent}) => parent === ''), ...split.validation];
          expect(known).toHaveLength(own.length);
        },
      ),
    );
  });
});
