import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {closest, didYouMean, valueHint} from '../../../src/core/closest.ts';

describe('closest', () => {
  test.each([
    ['log-mell', ['log-mel', 'log-mels-x'], 'log-mel'],
    ['lgo-mel', ['log-mel'], 'log-mel'],
    ['Train', ['train', 'trains'], 'train'],
    ['fold', ['folds', 'gold'], 'folds'],
    ['x', ['y', 'xy'], 'xy'],
    ['x', ['y'], undefined],
    ['abcdef', ['uvwxyz'], undefined],
    ['train', [], undefined],
  ])('%s among %j is %s', (word, candidates, wanted) => {
    expect(closest(word, candidates)).toBe(wanted);
  });

  test('finds a word that is there', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), {minLength: 1}), fc.nat(), (words, at) => {
        const word = words[at % words.length] ?? '';
        expect(closest(word, words)).toBe(word);
      }),
    );
  });

  test('finds a word after one swap, insertion, removal or replacement', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{4,12}$/),
        fc.nat(),
        fc.constantFrom('swap', 'insert', 'remove', 'replace'),
        (word, nat, edit) => {
          const at = nat % (word.length - 1);
          const [head, tail] = [word.slice(0, at), word.slice(at)];
          const edited = {
            swap: head + (tail[1] ?? '') + (tail[0] ?? '') + tail.slice(2),
            insert: `${head}q${tail}`,
            remove: head + tail.slice(1),
            replace: `${head}q${tail.slice(1)}`,
          }[edit];
          expect(closest(edited, [word, '0123456789'])).toBe(word);
        },
      ),
    );
  });
});

test('didYouMean lists the few there are when none is near', () => {
  expect(didYouMean('modle', ['model'])).toBe('did you mean `model`?');
  expect(didYouMean('zzz', ['model', 'table'])).toBe('known: `model`, `table`');
  expect(
    didYouMean(
      'zzz',
      Array.from({length: 21}, (_, index) => `name-${index}`),
    ),
  ).toBeUndefined();
  expect(didYouMean('zzz', [])).toBeUndefined();
});

test('valueHint shows the first of many values when none is near', () => {
  const values = Array.from({length: 27}, (_, index) => `variant-${index}`);
  expect(valueHint('varaint-3', values)).toBe('did you mean `variant-3`?');
  expect(valueHint('I', values)).toMatch(/^known: `variant-0`, .*, `variant-11` and 15 more$/);
  expect(valueHint('I', ['a', 'b'])).toBe('known: `a`, `b`');
  expect(valueHint('I', [])).toBeUndefined();
});
