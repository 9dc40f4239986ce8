import {expect, test} from 'vitest';
import type {PieceRow} from '../../../../../stages/lib/experiment/piece-rows.ts';
import {applyLabels, checkClasses, decideLabels} from '../../../../../stages/lib/experiment/pseudo-labels.ts';

const classes = ['ant', 'bee', 'cow'];

function row(key: string, classIndex: number, rest: Partial<PieceRow> = {}): PieceRow {
  return {
    row: 0,
    key,
    piece: 0,
    classIndex,
    split: 'train',
    fold: 2,
    parent: '',
    label: classes[classIndex] ?? '',
    verified: false,
    weight: 1,
    ...rest,
  };
}

test('a label is kept if it scores best, replaced if another is sure enough, and doubted else', () => {
  const clips = [0, 0, 0, 2].map((classIndex, i) => ({key: `k${i}`, classIndex}));
  const scores = Float32Array.of(0.4, 0.3, 0.3, 0.125, 0.75, 0.125, 0.25, 0.25, 0.5, 0.5, 0.25, 0.25);
  const decide = (confidence: number) => decideLabels(clips, scores, classes, confidence).map(({decision}) => decision);
  expect(decide(0.7)).toEqual(['kept', 'relabelled', 'doubted', 'doubted']);
  expect(decide(0.75)).toEqual(['kept', 'relabelled', 'doubted', 'doubted']);
  expect(decide(0.76)).toEqual(['kept', 'doubted', 'doubted', 'doubted']);
  expect(decide(0.5)).toEqual(['kept', 'relabelled', 'relabelled', 'relabelled']);
  expect(decideLabels(clips, scores, classes, 0.7)[3]).toEqual({
    key: 'k3',
    label: 'cow',
    predicted: 0,
    probability: 0.5,
    decision: 'doubted',
  });
});

test('a copy follows its recording, and what is not decided on stays', () => {
  const rows = [
    row('a', 0, {weight: 0.5}),
    row('a', 0, {piece: 1}),
    row('a/pitch+01', 0, {parent: 'a', weight: 0.25}),
    row('b', 1),
    row('b/pitch+01', 1, {parent: 'b', weight: 2}),
    row('c', 2),
    row('d', 2, {split: 'test', fold: 0}),
  ];
  const [a, b, c] = decideLabels(
    [0, 1, 2].map((classIndex) => ({key: 'abc'[classIndex] ?? '', classIndex})),
    Float32Array.of(0, 0, 1, 0.5, 0.25, 0.25, 0, 0, 1),
    classes,
    0.9,
  );
  const labelled = applyLabels(
    rows,
    [a, b, c].filter((decision) => decision !== undefined),
    classes,
    0.5,
  );
  expect(labelled.map(({label, classIndex, weight}) => [label, classIndex, weight])).toEqual([
    ['cow', 2, 0.5],
    ['cow', 2, 1],
    ['cow', 2, 0.25],
    ['bee', 1, 0.5],
    ['bee', 1, 1],
    ['cow', 2, 1],
    ['cow', 2, 1],
  ]);
  expect(labelled.slice(5)).toEqual(rows.slice(5));
});

test('a class that loses its last training clip is named, one that has none before is not', () => {
  const before = [row('a', 0), row('b', 1), row('c', 1, {fold: 1}), row('d', 2, {weight: 0})];
  expect(() => checkClasses(before, before, 1)).not.toThrow();
  const relabelled = before.map((own) => (own.key === 'b' ? {...own, classIndex: 0, label: 'ant'} : own));
  expect(() => checkClasses(before, relabelled, 1)).toThrow('1 label would lose all training clips: `bee`');
  expect(() => checkClasses(before, relabelled, 2)).not.toThrow();
  const doubted = before.map((own) => ({...own, weight: 0}));
  expect(() => checkClasses(before, doubted, 1)).toThrow('2 labels would lose all training clips: `ant`, `bee`');
});
