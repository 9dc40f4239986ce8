import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import augmentation from '../../../stages/augmentation.ts';
import balance from '../../../stages/balance.ts';
import {encodeNpy} from '../../../stages/lib/formats/npy.ts';
import {readPca} from '../../../stages/lib/learning/pca.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import mixup from '../../../stages/mixup.ts';
import pcaFit from '../../../stages/pca-fit.ts';
import pcaQuantize from '../../../stages/pca-quantize.ts';
import segments from '../../../stages/segments.ts';
import train from '../../../stages/train.ts';
import {runStage} from '../../support/stage-harness.ts';

// A whole small experiment, of which each test below changes one thing that nobody would see in the scores but as good luck.

const FOLD = 1;
const recordings = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    ...['Bell', 'Cow'].flatMap((label, c) => [
      `${label}/1,${label},${c},1,train,1,,`,
      `${label}/2,${label},${c},1,train,2,,`,
      `${label}/3,${label},${c},1,train,2,${label}-tape,`,
      `${label}/4,${label},${c},1,train,2,${label}-tape,`,
      `${label}/t,${label},${c},1,test,0,,`,
    ]),
    '',
  ].join('\n'),
};
const augmented = await runStage(augmentation, {params: {perClass: 12}, inputs: {folds: recordings}});
const folds = readFileSync(augmented.outputs.folds, 'utf8');
const features = {
  files: Object.fromEntries(
    folds
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [key = ''] = line.split(',');
        const rng = createRng(1).fork(key);
        const data = Uint8Array.from({length: 4 * 8}, () => rng.integer(256));
        return [`${key}.npy`, encodeNpy({shape: [4, 8], data})];
      }),
  ),
};
const cut = await runStage(segments, {params: {length: 2}, inputs: {features, folds: {content: folds}}});
const rows = readFileSync(cut.outputs.rows, 'utf8');
const balanced = await runStage(balance, {params: {fold: FOLD}, inputs: {rows: {content: rows}}});
const order = readFileSync(balanced.outputs.order, 'utf8');
const mixes = await runStage(mixup, {
  params: {fold: FOLD},
  inputs: {rows: {content: rows}, order: {content: order}},
});
const mixed = readFileSync(mixes.outputs.mixed, 'utf8');

interface Planted {
  readonly rows?: string;
  readonly order?: string;
  readonly mixed?: string;
  readonly fold?: number;
}

function trainOn(planted: Planted = {}): Promise<unknown> {
  return runStage(train, {
    params: {fold: planted.fold ?? FOLD, epochs: 1, units: 4, batchSize: 16},
    inputs: {
      features: cut.outputs.features,
      rows: {content: planted.rows ?? rows},
      order: {content: planted.order ?? order},
      mixed: {content: planted.mixed ?? mixed},
    },
  });
}

/** The line of a rows table of the first piece of the first clip that `test` accepts, with its fields. */
function find(test: (fields: readonly string[]) => boolean): {line: string; row: string; key: string; class: string} {
  const line = rows.split('\n').find((text, i) => i > 0 && test(text.split(','))) ?? '';
  const [row = '', key = '', , classText = ''] = line.split(',');
  return {line, row, key, class: classText};
}

const testClip = find((fields) => fields[4] === 'test');
const validationClip = find((fields) => fields[5] === '1' && fields[6] === '');
const validationCopy = find((fields) => fields[5] === '1' && fields[6] !== '');
const trainCopy = find((fields) => fields[5] === '2' && fields[6] !== '');

/** All lines of a clip's rows, changed. */
function replaceClip(text: string, key: string, from: string, to: string): string {
  return text
    .split('\n')
    .map((line) => (line.split(',').includes(key) && !line.endsWith(`,${key},`) ? line.replace(from, to) : line))
    .join('\n');
}

describe('nothing of a test or validation clip trains', () => {
  test('as it is, the experiment runs: every training row is of fold 2, copies included', async () => {
    await trainOn();
    const place = new Map(rows.split('\n').map((line) => [line.split(',')[0], line.split(',')]));
    const used = [...order.split('\n').slice(1, -1), ...mixed.split('\n').slice(1, -1)].flatMap((line, i, all) =>
      line.split(',').slice(0, i < all.length && line.split(',').length === 2 ? 1 : 2),
    );
    expect(used.length).toBeGreaterThan(50);
    for (const row of used) expect(place.get(row)?.slice(4, 6)).toEqual(['train', '2']);
    expect(used.some((row) => place.get(row)?.[6] !== '')).toBe(true);
  });

  describe('planted in the folds table, at every stage that reads it', () => {
    const [copyKey, parentKey] = [trainCopy.key, trainCopy.key.split('/pitch')[0]];
    const inTest = find((fields) => fields[4] === 'test').key;
    const plants: readonly (readonly [string, string, string])[] = [
      [
        'a copy moved to another fold',
        folds.replace(new RegExp(`^(${escaped(copyKey)},.*,train),2,`, 'm'), '$1,1,'),
        `clip \`${copyKey}\` is a copy of \`${parentKey}\``,
      ],
      [
        'a copy in the test split',
        folds.replace(new RegExp(`^(${escaped(copyKey)},.*),train,2,`, 'm'), '$1,test,0,'),
        `clip \`${copyKey}\` is a copy of \`${parentKey}\``,
      ],
      [
        'a copy of a test clip',
        `${folds}${inTest}/pitch+01,Bell,0,1,train,2,,${inTest}\n`,
        `clip \`${inTest}/pitch+01\` is a copy of \`${inTest}\``,
      ],
      [
        'a clip and its copies in another fold than the clips of its group',
        folds.replaceAll(/^(Bell\/3[,/].*,train),2,/gm, '$1,1,'),
        'of group `Bell-tape`',
      ],
    ];
    test.each(plants)('%s', async (_, content, message) => {
      expect(content).not.toBe(folds);
      const table = {content};
      await expect(runStage(segments, {inputs: {features, folds: table}})).rejects.toThrow(message);
      await expect(
        runStage(pcaFit, {params: {fold: FOLD}, inputs: {embeddings: features, folds: table}}),
      ).rejects.toThrow(message);
      await expect(runStage(augmentation, {inputs: {folds: table}})).rejects.toThrow(message);
    });
  });

  describe('planted in the rows table, at every stage that reads it', () => {
    const copy = trainCopy.key;
    const parent = copy.split('/pitch')[0] ?? '';
    const plants: readonly (readonly [string, string, string])[] = [
      [
        'a copy moved to another fold',
        replaceClip(rows, copy, ',train,2,', ',train,1,'),
        `copy \`${copy}\` is in fold 1, its recording \`${parent}\` in fold 2`,
      ],
      [
        'a copy of a validation clip moved to the training folds',
        replaceClip(rows, validationCopy.key, ',train,1,', ',train,2,'),
        `copy \`${validationCopy.key}\` is in fold 2, its recording \`${validationCopy.key.split('/pitch')[0]}\` in fold 1`,
      ],
      ['a copy in the test split', replaceClip(rows, copy, ',train,2,', ',test,0,'), `copy \`${copy}\` is a test clip`],
      [
        'a copy of a test clip',
        replaceClip(rows, copy, `,${parent},`, `,${testClip.key},`),
        `copy \`${copy}\` is in fold 2, its recording \`${testClip.key}\` is a test clip`,
      ],
      [
        'a copy of a clip that is not there',
        replaceClip(rows, copy, `,${parent},`, ',gone,'),
        `copy \`${copy}\` is made of \`gone\`, which the table lacks`,
      ],
      [
        'a piece of a test clip alone',
        rows.replace(`${testClip.line}\n`, `${testClip.line.replace(',test,0,', ',train,2,')}\n`),
        `the pieces of clip \`${testClip.key}\` differ in split`,
      ],
    ];
    test.each(plants)('%s', async (_, content, message) => {
      expect(content).not.toBe(rows);
      const inputs = {rows: {content}};
      await expect(runStage(balance, {params: {fold: FOLD}, inputs})).rejects.toThrow(message);
      await expect(
        runStage(mixup, {params: {fold: FOLD}, inputs: {...inputs, order: {content: order}}}),
      ).rejects.toThrow(message);
      await expect(trainOn({rows: content})).rejects.toThrow(message);
    });
  });

  describe.each([
    ['a test clip', testClip, 'is a test clip'],
    ['a validation clip', validationClip, 'validates fold 1'],
    ['a copy of a validation clip', validationCopy, 'validates fold 1'],
  ])('%s', (_, {row, key, class: own}, why) => {
    const message = `row ${row} must not train fold 1: clip \`${key}\` ${why}`;

    test('in the order is refused by mixup and train', async () => {
      const content = `${order}${row},${own}\n`;
      await expect(
        runStage(mixup, {params: {fold: FOLD}, inputs: {rows: {content: rows}, order: {content}}}),
      ).rejects.toThrow(message);
      await expect(trainOn({order: content})).rejects.toThrow(message);
    });

    test('in a mixed pair, as first or as second, is refused by train', async () => {
      const [, pair = ''] = mixed.split('\n');
      const [first, second, share] = pair.split(',');
      await expect(trainOn({mixed: `${mixed}${row},${second},${share}\n`})).rejects.toThrow(message);
      await expect(trainOn({mixed: `${mixed}${first},${row},${share}\n`})).rejects.toThrow(message);
    });
  });

  test('the order and the pairs of another fold are refused', async () => {
    await expect(trainOn({fold: 2})).rejects.toThrow('must not train fold 2: clip `');
    await expect(
      runStage(mixup, {params: {fold: 2}, inputs: {rows: {content: rows}, order: {content: order}}}),
    ).rejects.toThrow('must not train fold 2: clip `');
  });

  test('PCA parameters that were fitted on the validation clips are refused', async () => {
    const embeddings = {
      files: Object.fromEntries(
        Object.keys(features.files).map((path) => {
          const rng = createRng(2).fork(path);
          return [path, encodeNpy({shape: [9, 8], data: Float32Array.from({length: 72}, () => rng.normal())})];
        }),
      ),
    };
    const fit = async (fold: number): Promise<string> =>
      (await runStage(pcaFit, {params: {fold}, inputs: {embeddings, folds: {content: folds}}})).outputs.pca;
    const own = await fit(FOLD);
    expect(readPca(own).origin).toEqual({fold: 1, clips: ['Bell/2', 'Bell/3', 'Bell/4', 'Cow/2', 'Cow/3', 'Cow/4']});
    const content = embeddings.files['Bell/1.npy'] as Uint8Array;
    const quantize = (pca: string) =>
      runStage(pcaQuantize, {params: {fold: FOLD}, inputs: {embeddings: {content}, pca}});
    await quantize(own);
    await expect(quantize(await fit(2))).rejects.toThrow('fitted for fold 2, these embeddings are for fold 1');
    await expect(quantize(await fit(0))).rejects.toThrow('fitted for fold 0, these embeddings are for fold 1');
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.+/]/g, '\\$&');
}
