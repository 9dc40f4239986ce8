import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import {readPieceRows} from '../../../stages/lib/experiment/piece-rows.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {encodeNpy} from '../../../stages/lib/formats/npy.ts';
import {readModel, writeModel} from '../../../stages/lib/models/model-file.ts';
import mixup from '../../../stages/mixup.ts';
import pseudoLabels from '../../../stages/pseudo-labels.ts';
import train from '../../../stages/train.ts';
import {toyTrainingFiles} from '../../support/attention-data.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';

const FOLD = 1;
const toy = toyTrainingFiles({classes: 3, clipsPerClass: 24, folds: 3, length: 2, pieces: 2});
const header = 'row,key,piece,class,split,fold,parent,label,verified,weight\n';

/**
 * Of the toy's 72 clips the first 36 are not verified, and every fifth of these has the label of the next class. Clip k0020
 * becomes a copy of k0008, both of fold 3.
 */
const lines = toy.rows.content.trimEnd().split('\n').slice(1);
const table = lines.map((line) => {
  const [row = '', key = '', piece = '', own = '', split = '', fold = ''] = line.split(',');
  const recording = key === 'k0020' ? 'k0008' : key;
  const clip = Number(recording.slice(1));
  const isVerified = clip >= 36;
  const c = !isVerified && clip % 5 === 0 ? (Number(own) + 1) % 3 : Number(own);
  return {
    row,
    key,
    piece,
    c,
    split,
    fold,
    parent: recording === key ? '' : recording,
    clip,
    isVerified,
    truth: Number(own),
  };
});
const rows = {
  content:
    header +
    table
      .map(
        ({row, key, piece, c, split, fold, parent, isVerified}) =>
          `${row},${key},${piece},${c},${split},${fold},${parent},c${c},${isVerified ? 1 : 0},1\n`,
      )
      .join(''),
};
const small = {units: 16, batchSize: 24, learningRate: 0.01, epochs: 20, batchNormMomentum: 0.8};

async function trainOn(table: {content: string} | string, labels: 'all' | 'verified', unverifiedWeight = 1) {
  const {outputs} = await runStage(balance, {params: {fold: FOLD, labels}, inputs: {rows: table}});
  const {outputs: pairs} = await runStage(mixup, {params: {fold: FOLD}, inputs: {rows: table, order: outputs.order}});
  return runStage(train, {
    params: {...small, fold: FOLD, unverifiedWeight},
    inputs: {features: toy.features, rows: table, order: outputs.order, mixed: pairs.mixed},
  });
}

const {
  outputs: {model},
} = await trainOn(rows, 'verified', 0);

type Options = NonNullable<
  Parameters<
    typeof runStage<(typeof pseudoLabels)['params'], (typeof pseudoLabels)['inputs'], (typeof pseudoLabels)['outputs']>
  >[1]
>;
const label = (params: Options['params'] = {}, inputs: Options['inputs'] = {}) =>
  runStage(pseudoLabels, {
    params: {fold: FOLD, confidence: 0.6, ...params},
    inputs: {features: toy.features, rows, model, ...inputs},
  });

describe('pseudo-labels', () => {
  test('finds the wrong labels of unverified training clips, and leaves all others alone', async () => {
    const {outputs, metrics, logs} = await label();
    expect(logs).toEqual([]);
    const before = readPieceRows(rowsPath(rows.content));
    const after = readPieceRows(outputs.rows);
    const report = readCsv(outputs.report, ['key', 'label', 'predicted', 'probability', 'decision']);
    const judged = table.filter(
      ({split, fold, parent, piece, isVerified}) =>
        split === 'train' && fold !== '1' && parent === '' && piece === '0' && !isVerified,
    );
    expect(report.map(({key}) => key)).toEqual(judged.map(({key}) => key));
    const {kept = 0, relabelled = 0, doubted = 0} = metrics;
    expect(kept + relabelled + doubted).toBe(judged.length);
    const decisionOf = new Map(report.map((line) => [line['key'], line]));
    let right = 0;
    for (const [i, own] of after.entries()) {
      const {truth, isVerified, split, fold, parent, key} = table[i] as (typeof table)[number];
      const found = decisionOf.get(parent === '' ? key : parent);
      const {classIndex, label: name, weight, ...rest} = own;
      const {classIndex: was, label: wasName, weight: weighed, ...others} = before[i] as (typeof before)[number];
      expect(rest).toEqual(others);
      if (isVerified || split === 'test' || fold === '1') {
        expect([found, classIndex, name, weight]).toEqual([undefined, was, wasName, weighed]);
        continue;
      }
      expect([name, found?.['label']]).toEqual([`c${classIndex}`, wasName]);
      switch (found?.['decision']) {
        case 'kept':
          expect([name, weight, found['predicted']]).toEqual([wasName, 1, wasName]);
          break;
        case 'relabelled':
          expect([name, weight]).toEqual([found['predicted'], 1]);
          expect(name).not.toBe(wasName);
          expect(Number(found['probability'])).toBeGreaterThanOrEqual(0.6);
          break;
        default:
          expect([name, weight, found?.['decision']]).toEqual([wasName, 0.5, 'doubted']);
          expect(Number(found?.['probability'])).toBeLessThan(0.6);
      }
      if (found?.['predicted'] === `c${truth}`) right++;
    }
    expect(relabelled).toBeGreaterThanOrEqual(3);
    expect(right).toBeGreaterThan(0.9 * 2 * (judged.length + 1));
  });

  test('what it writes trains, with doubtful clips left out or weighed', async () => {
    for (const doubtfulWeight of [0, 0.5]) {
      const {outputs, metrics} = await label({doubtfulWeight, confidence: 0.99});
      expect(metrics['doubted']).toBeGreaterThan(0);
      const trained = await trainOn(outputs.rows, 'all', 0.5);
      expect(trained.metrics['validationMap3']).toBeGreaterThan(0.6);
    }
  });

  test('gives the same bytes again, whatever the size of a batch', async () => {
    const bytes = async (batchSize: number) => readFileSync((await label({batchSize})).outputs.rows, 'utf8');
    expect(await bytes(500)).toBe(await bytes(500));
    expect(await bytes(7)).toBe(await bytes(500));
  });

  test('without unverified clips the rows stay', async () => {
    const verified = {content: rows.content.replaceAll(/,0,1$/gm, ',1,1')};
    const {outputs, logs, metrics} = await label({}, {rows: verified});
    expect(readFileSync(outputs.rows, 'utf8')).toBe(verified.content);
    expect(readFileSync(outputs.report, 'utf8')).toBe('key,label,predicted,probability,decision\n');
    expect(logs).toEqual(['there is nothing to label: all training clips are verified']);
    expect(metrics).toEqual({kept: 0, relabelled: 0, doubted: 0});
  });

  test('a model of another fold, or of none, is refused', async () => {
    await expect(label({fold: 2})).rejects.toThrow(
      'the model was trained for fold 1, and the clips are those of fold 2',
    );
    await expect(label({fold: 0})).rejects.toThrow('for fold 1, and the clips are those of fold 0');
    const {about, ...rest} = readModel(model);
    const {fold: _, ...others} = about;
    const path = join(temporaryFolder(), 'model.safetensors');
    writeModel(path, {...rest, about: others});
    await expect(label({}, {model: path})).rejects.toThrow('the model does not say for which fold it was trained');
  });

  test('a model of other classes or features is refused', async () => {
    const other = {content: rows.content.replaceAll(/,c2,/g, ',cow,')};
    await expect(label({}, {rows: other})).rejects.toThrow(
      'the model has other classes than the rows table: class 2 is `c2`, and `cow` there',
    );
    const four = rows.content.replaceAll(/^(\d+,k0071,[01],)2,(.*),c2,/gm, '$13,$2,c3,');
    await expect(label({}, {rows: {content: four}})).rejects.toThrow('class 3 is none, and `c3` there');
    const narrow = {content: encodeNpy({shape: [144, 2, 3], data: new Uint8Array(144 * 6)})};
    await expect(label({}, {features: narrow})).rejects.toThrow(
      'the model takes `features` of width 128, the features have vectors of width 3',
    );
  });

  test('says so when the model has learned from the labels that it judges', async () => {
    const {outputs} = await trainOn(rows, 'all');
    const {logs} = await label({}, {model: outputs.model});
    expect(logs).toEqual(['the model has learned from unverified labels too, and may repeat them']);
  });

  test('a class that would lose all training clips is named', async () => {
    // All training clips of class 2 are verified as class 0, and the one that is labelled class 2 is not of it.
    const content =
      header +
      table
        .map(({row, key, piece, split, fold, parent, truth, clip, isVerified}) => {
          const isTraining = split === 'train' && fold !== '1';
          const named = isTraining && truth === 2 ? 0 : truth;
          const c = isTraining && clip === 3 ? 2 : named;
          return `${row},${key},${piece},${c},${split},${fold},${parent},c${c},${isVerified || truth === 2 ? 1 : 0},1\n`;
        })
        .join('');
    await expect(label({confidence: 0.01}, {rows: {content}})).rejects.toThrow(
      '1 label would lose all training clips: `c2`',
    );
  });
});

function rowsPath(content: string): string {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, content);
  return path;
}
