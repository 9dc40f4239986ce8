import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import {readCsv} from '../../../stages/lib/csv.ts';
import {encodeNpy, readUint8} from '../../../stages/lib/npy.ts';
import {readPca} from '../../../stages/lib/pca.ts';
import {cutPieces} from '../../../stages/lib/pieces.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import pcaFit from '../../../stages/pca-fit.ts';
import pcaQuantize from '../../../stages/pca-quantize.ts';
import segments from '../../../stages/segments.ts';
import {runStage} from '../../support/stage-harness.ts';

const folds = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    'a,Bell,0,1,train,1,,',
    'b,Bell,0,1,train,2,,',
    'c,Cow,1,0,train,1,,',
    'd,Cow,1,1,test,0,,',
    '',
  ].join('\n'),
};

function embeddingsOf(counts: Readonly<Record<string, number>>): {files: Record<string, Uint8Array>} {
  const files: Record<string, Uint8Array> = {};
  for (const [key, count] of Object.entries(counts)) {
    const rng = createRng(key.charCodeAt(0));
    const data = Float32Array.from({length: count * 128}, () => rng.normal());
    files[`${key}.npy`] = encodeNpy({shape: [count, 128], data});
  }
  return {files};
}

describe('pca-fit', () => {
  const embeddings = embeddingsOf({a: 3, b: 5, c: 2, d: 4});

  test('uses the train clips outside the fold only', async () => {
    const fit = (fold: number, tree = embeddings) =>
      runStage(pcaFit, {params: {fold}, inputs: {embeddings: tree, folds}});
    expect((await fit(1)).metrics).toEqual({vectors: 5, components: 4});
    expect((await fit(0)).metrics).toEqual({vectors: 10, components: 9});
    const changed = embeddingsOf({a: 3, b: 5, c: 2, d: 4});
    changed.files['a.npy'] = encodeNpy({shape: [1, 128], data: new Float32Array(128)});
    changed.files['d.npy'] = changed.files['a.npy'];
    const bytes = async (tree: typeof embeddings) => readFileSync((await fit(1, tree)).outputs.pca);
    expect((await bytes(changed)).equals(await bytes(embeddings))).toBe(true);
  });

  test('its output quantises embeddings, with the deviation of a whitened component', async () => {
    const many = embeddingsOf({a: 100, b: 200, c: 100, d: 50});
    const {outputs} = await runStage(pcaFit, {params: {fold: 0}, inputs: {embeddings: many, folds}});
    expect(readPca(outputs.pca).size).toBe(128);
    const quantized = await runStage(pcaQuantize, {
      inputs: {embeddings: {content: many.files['b.npy'] as Uint8Array}, pca: outputs.pca},
    });
    const {shape, data} = readUint8(quantized.outputs.quantized, 2);
    expect(shape).toEqual([200, 128]);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
    expect(Math.abs(mean - 127)).toBeLessThan(2);
    // 63.75 times the deviation of a standard normal value clipped at 2, which is 0.96.
    expect(Math.abs(deviation - 61)).toBeLessThan(3);
  });

  test('a clip without an entry and a fold without training clips are said', async () => {
    const few = embeddingsOf({a: 3, b: 5});
    await expect(runStage(pcaFit, {params: {fold: 0}, inputs: {embeddings: few, folds}})).rejects.toThrow('clip `c`');
    const one = {content: 'key,label,class,verified,split,fold,group,parent\na,Bell,0,1,train,1,,\n'};
    await expect(runStage(pcaFit, {params: {fold: 1}, inputs: {embeddings: few, folds: one}})).rejects.toThrow(
      'no train clip outside fold 1',
    );
  });
});

test('pca-quantize refuses parameters for another size', async () => {
  const {outputs} = await runStage(pcaFit, {
    params: {fold: 0},
    inputs: {embeddings: embeddingsOf({a: 2, b: 2, c: 2}), folds},
  });
  const embeddings = {content: encodeNpy({shape: [1, 64], data: new Float32Array(64)})};
  await expect(runStage(pcaQuantize, {inputs: {embeddings, pca: outputs.pca}})).rejects.toThrow(
    'the embeddings have 64 values each, the PCA parameters are for 128',
  );
});

describe('cutPieces', () => {
  test.each([
    [1, 3, [[0, 0, 0]]],
    [2, 3, [[0, 1, 0]]],
    [3, 3, [[0, 1, 2]]],
    [4, 3, [[0, 1, 2]]],
    [
      5,
      3,
      [
        [0, 1, 2],
        [3, 4, 3],
      ],
    ],
    [
      3,
      2,
      [
        [0, 1],
        [2, 2],
      ],
    ],
    [2, 1, [[0], [1]]],
  ])('%i vectors in pieces of %i', (count, length, expected) => {
    expect(cutPieces(count, {length, long: 'split', short: 'repeat'})).toEqual(expected);
  });

  test('there is always a piece, and less than half a piece is lost', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 60}), fc.integer({min: 1, max: 12}), (count, length) => {
        const pieces = cutPieces(count, {length, long: 'split', short: 'repeat'});
        expect(pieces.length).toBeGreaterThan(0);
        const used = new Set(pieces.flat());
        expect([...used]).toEqual(Array.from(used, (_, i) => i));
        expect(2 * (count - used.size)).toBeLessThan(count >= length ? length : 1);
        for (const piece of pieces) expect(piece).toHaveLength(length);
      }),
    );
  });
});

function featuresOf(counts: Readonly<Record<string, number>>): {files: Record<string, Uint8Array>} {
  const files: Record<string, Uint8Array> = {};
  for (const [key, count] of Object.entries(counts)) {
    const data = Uint8Array.from({length: count * 2}, (_, i) => key.charCodeAt(0) + i);
    files[`${key}.npy`] = encodeNpy({shape: [count, 2], data});
  }
  return {files};
}

describe('segments', () => {
  test('writes the pieces of all clips by key, with a table of where each comes from', async () => {
    const features = featuresOf({a: 1, b: 3, c: 2, d: 5});
    const {outputs} = await runStage(segments, {params: {length: 2}, inputs: {features, folds}});
    expect(readFileSync(outputs.rows, 'utf8')).toBe(
      'row,key,piece,class,split,fold,parent,label\n' +
        '0,a,0,0,train,1,,Bell\n1,b,0,0,train,2,,Bell\n2,b,1,0,train,2,,Bell\n3,c,0,1,train,1,,Cow\n' +
        '4,d,0,1,test,0,,Cow\n5,d,1,1,test,0,,Cow\n6,d,2,1,test,0,,Cow\n',
    );
    const {shape, data} = readUint8(outputs.features, 3);
    expect(shape).toEqual([7, 2, 2]);
    // Vectors of clip `a` are (97, 98), (99, 100) ..., of `b` (98, 99), (100, 101) ...
    expect(Buffer.from(data).toString('latin1')).toBe('ababbcdefgfgcdefdefghijklmlm');
  });

  test('a clip without vectors, of another width or of another type is refused by name', async () => {
    const good = featuresOf({a: 1, b: 1, c: 1, d: 1});
    const run = (c: Uint8Array) =>
      runStage(segments, {inputs: {features: {files: {...good.files, 'c.npy': c}}, folds}});
    await expect(run(encodeNpy({shape: [0, 2], data: new Uint8Array(0)}))).rejects.toThrow('clip c has no vectors');
    await expect(run(encodeNpy({shape: [1, 3], data: new Uint8Array(3)}))).rejects.toThrow('clip c has shape [1, 3]');
    await expect(run(encodeNpy({shape: [1, 2], data: new Float32Array(2)}))).rejects.toThrow(
      'the array of clip c is float32, those before are uint8',
    );
  });
});

describe('balance', () => {
  const header = 'row,key,piece,class,split,fold,parent,label\n';
  // Class 0: rows 0 to 4, class 1: rows 5 and 6, class 2: row 7; row 8 validates fold 1, row 9 is a test clip.
  const classes = [0, 0, 0, 0, 0, 1, 1, 2, 1, 2];
  const rows = {
    content:
      header +
      classes
        .map((own, i) => `${i},k${i},0,${own},${i === 9 ? 'test,0' : `train,${i === 8 ? 1 : 2}`},,c${own}\n`)
        .join(''),
  };
  const draw = async (params: {fold: number; perClass?: number}, seed = 1) => {
    const {outputs} = await runStage(balance, {params, inputs: {rows}, seed});
    return readCsv(outputs.order, ['row', 'class']).map((record) => [Number(record['row']), Number(record['class'])]);
  };

  test('every class is drawn as often as the largest has rows, from training rows only', async () => {
    const order = await draw({fold: 1});
    expect(order).toHaveLength(15);
    for (const own of [0, 1, 2]) {
      const drawn = order.filter(([, classIndex]) => classIndex === own).map(([row]) => row);
      expect(drawn).toHaveLength(5);
      const rowsOfClass = classes.flatMap((value, row) => (value === own && row < 8 ? [row] : []));
      const counts = rowsOfClass.map((row) => drawn.filter((other) => other === row).length);
      expect(counts.reduce((a, b) => a + b)).toBe(5);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test('perClass sets the number, fold 0 uses every train row', async () => {
    const order = await draw({fold: 0, perClass: 3});
    expect(order.map(([, own]) => own)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(new Set(order.filter(([, own]) => own === 1).map(([row]) => row))).toEqual(new Set([5, 6, 8]));
  });

  test('the same seed draws the same, another draws otherwise', async () => {
    expect(await draw({fold: 1}, 3)).toEqual(await draw({fold: 1}, 3));
    expect(await draw({fold: 1}, 4)).not.toEqual(await draw({fold: 1}, 3));
  });

  test('a fold that leaves nothing to train on is refused', async () => {
    const one = {content: `${header}0,a,0,0,train,1,,Bell\n`};
    await expect(runStage(balance, {params: {fold: 1}, inputs: {rows: one}})).rejects.toThrow('no training rows');
  });
});
