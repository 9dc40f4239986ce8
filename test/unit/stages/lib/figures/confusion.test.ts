import {expect, test} from 'vitest';
import {countConfusion, mistakesOf} from '../../../../../stages/lib/figures/confusion.ts';

// Rows are clips, columns the classes Ant, Bee, Cat.
const scores = Float32Array.from([[0.1, 0.7, 0.2], [0, 0.5, 0.5], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [1, 0, 0]].flat()); // prettier-ignore
const confusion = countConfusion(scores, [0, 0, 0, 2, 2], ['Ant', 'Bee', 'Cat']);

test('a row of counts is a true class, a column a predicted one', () => {
  expect(confusion.counts).toEqual([1, 2, 0, 0, 0, 0, 1, 0, 1]);
});

test('the mistakes begin with the most frequent', () => {
  expect(mistakesOf(confusion)).toEqual([
    {label: 'Ant', predicted: 'Bee', clips: 2, of: 3},
    {label: 'Cat', predicted: 'Ant', clips: 1, of: 2},
  ]);
});
