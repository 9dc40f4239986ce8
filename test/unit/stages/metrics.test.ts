import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy} from '../../../stages/lib/formats/npy.ts';
import type {MetricsReport} from '../../../stages/lib/learning/report.ts';
import metrics from '../../../stages/metrics.ts';
import {runStage, type PortInput} from '../../support/stage-harness.ts';

const matrix = (rows: readonly (readonly number[])[]) => ({
  content: encodeNpy({shape: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat())}),
});
const bits = (rows: readonly number[], bytes = 1) => ({
  content: encodeNpy({shape: [rows.length / bytes, bytes], data: Uint8Array.from(rows)}),
});

const classes = {content: 'index,mid,label\n0,/m/a,Ant\n1,/m/b,"Bee, buzzing"\n2,/m/c,Cat\n'};
const predictions = [
  matrix([
    [0.9, 0.8, 0.1],
    [0.2, 0.7, 0.6],
    [0.3, 0.1, 0.2],
  ]),
];
// Ant and Bee; Cat; none.
const targets = bits([0b1100_0000, 0b0010_0000, 0]);

describe('metrics of clips of several classes', () => {
  const run = (inputs: Readonly<Record<string, PortInput | readonly PortInput[]>>, params = {}) =>
    runStage(metrics, {params: {variant: 'x', ...params}, inputs: {predictions, ...inputs}});

  test('by hand', async () => {
    const {outputs, logs} = await run({targets, classes});
    const report = JSON.parse(readFileSync(outputs.metrics, 'utf8')) as MetricsReport;
    expect(report).toMatchObject({
      variant: 'x',
      clips: 3,
      classes: 3,
      multiLabel: true,
      map: 1,
      auc: 1,
      dPrime: null,
      // Of one of three clips; (1 + 1/2 + 0) / 3.
      accuracy: expect.closeTo(1 / 3, 12),
      map3: expect.closeTo(0.5, 12),
      perClass: [
        {label: 'Ant', clips: 1, ap: 1, auc: 1, ap3: 1},
        {label: 'Bee, buzzing', clips: 1, ap: 1, auc: 1, ap3: 1},
        {label: 'Cat', clips: 1, ap: 1, auc: 1, ap3: 1 / 2},
      ],
    });
    expect(logs).toEqual(['1 clip without a class: 0 in MAP@3 and accuracy']);
    expect(readFileSync(outputs.perClass, 'utf8')).toBe(
      'label,clips,ap,auc,ap3\nAnt,1,1,1,1\n"Bee, buzzing",1,1,1,1\nCat,1,1,1,0.5\n',
    );
    expect(readFileSync(outputs.confusion, 'utf8')).toBe('label\n');
  });

  const folds = {content: 'key,label,class,verified,split,fold,group,parent\na,Ant,0,1,test,0,,\n'};
  test.each<[string, Readonly<Record<string, PortInput | readonly PortInput[]>>, object, string]>([
    ['no truth', {}, {}, 'what is true of the clips is not clear'],
    ['targets without classes', {targets}, {}, 'what is true of the clips is not clear'],
    ['both', {targets, classes, folds}, {}, 'what is true of the clips is not clear'],
    ['a split', {targets, classes}, {split: 'train'}, 'targets have no split'],
    [
      'several predictions',
      {targets, classes, predictions: [...predictions, ...predictions]},
      {},
      'there are 2 arrays',
    ],
    ['another number of clips', {targets: bits([0, 0]), classes}, {}, 'shape [3, 3]; the targets have 2 clips'],
    ['another number of bytes', {targets: bits([0, 0, 0, 0], 2), classes}, {}, '2 bytes a clip; 3 classes need 1'],
    ['a class beyond', {targets: bits([1, 0, 0]), classes}, {}, 'row 0 has class 7, and there are 3 classes'],
    [
      'no clips',
      {targets: {content: encodeNpy({shape: [0, 1], data: new Uint8Array(0)})}, classes},
      {},
      'nothing to score',
    ],
  ])('refuses %s', async (_what, inputs, params, message) => {
    await expect(run(inputs, params)).rejects.toThrow(message);
  });
});

test('of clips of one class each there is a confusion matrix, a row a true class', async () => {
  const rows = ['a,Ant,0', 'b,Ant,0', 'c,Bee,1'].map((row) => `${row},1,test,0,,\n`).join('');
  const {outputs} = await runStage(metrics, {
    params: {variant: 'x'},
    inputs: {
      predictions: [
        matrix([
          [0.9, 0.1],
          [0.2, 0.8],
          [0.3, 0.7],
        ]),
      ],
      folds: {content: `key,label,class,verified,split,fold,group,parent\n${rows}`},
    },
  });
  expect(readFileSync(outputs.confusion, 'utf8')).toBe('label,Ant,Bee\nAnt,1,1\nBee,0,1\n');
});
