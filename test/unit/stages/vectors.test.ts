import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {readFolds} from '../../../stages/lib/experiment/dataset.ts';
import {readPieceRows} from '../../../stages/lib/experiment/piece-rows.ts';
import {encodeNpy, readFloat32, readUint8} from '../../../stages/lib/formats/npy.ts';
import segments from '../../../stages/segments.ts';
import vectors from '../../../stages/vectors.ts';
import {runStage} from '../../support/stage-harness.ts';

const table = {
  content: [
    'row,fname,label,manually_verified,part',
    '0,c.wav,Cow,0,0',
    '1,a.wav,Bell,1,0',
    '2,d.wav,Cow,1,1',
    '3,b.wav,Bell,1,1',
    '',
  ].join('\n'),
};
const official = {format: 'uint8', width: 2, foldColumn: 'part', firstFold: 0} as const;
const bytes = {content: Buffer.from('ccaaddbb')};

describe('vectors', () => {
  test('gives what folds and segments give, clips by key', async () => {
    const {outputs, metrics} = await runStage(vectors, {params: official, inputs: {vectors: bytes, table}});
    const {shape, data} = readUint8(outputs.features, 3);
    expect(shape).toEqual([4, 1, 2]);
    expect(Buffer.from(data).toString('latin1')).toBe('aabbccdd');
    expect(readFileSync(outputs.rows, 'utf8')).toBe(
      'row,key,piece,class,split,fold,parent,label,verified,weight\n' +
        '0,a,0,0,train,1,,Bell,1,1\n1,b,0,0,train,2,,Bell,1,1\n2,c,0,1,train,1,,Cow,0,1\n3,d,0,1,train,2,,Cow,1,1\n',
    );
    expect(readFileSync(outputs.folds, 'utf8')).toBe(
      'key,label,class,verified,split,fold,group,parent\n' +
        'a,Bell,0,1,train,1,,\nb,Bell,0,1,train,2,,\nc,Cow,1,0,train,1,,\nd,Cow,1,1,train,2,,\n',
    );
    expect(readFileSync(outputs.classes, 'utf8')).toBe('index,label,trainClips,testClips\n0,Bell,2,0\n1,Cow,2,0\n');
    expect(readPieceRows(outputs.rows)).toHaveLength(4);
    expect(metrics).toEqual({rows: 4, clips: 4, classes: 2, verifiedClips: 3, testClips: 0});
  });

  test('draws folds and test clips where the table has none', async () => {
    const lines = Array.from({length: 40}, (_, i) => `k${i},${i % 2 === 0 ? 'Bell' : 'Cow'}`);
    const inputs = {
      vectors: {content: encodeNpy({shape: [40, 1], data: new Float32Array(40)})},
      table: {content: `path,category\n${lines.join('\n')}\n`},
    };
    const {outputs} = await runStage(vectors, {params: {folds: 4, testFraction: 0.2}, inputs});
    const {clips} = readFolds(outputs.folds);
    for (const label of ['Bell', 'Cow']) {
      const own = clips.filter((clip) => clip.label === label);
      expect([0, 1, 2, 3, 4].map((fold) => own.filter((clip) => clip.fold === fold).length)).toEqual([4, 4, 4, 4, 4]);
    }
    const again = await runStage(vectors, {params: {folds: 4, testFraction: 0.2}, inputs, seed: 2});
    expect(readFileSync(again.outputs.folds)).not.toEqual(readFileSync(outputs.folds));
    await expect(runStage(vectors, {params: {folds: 50}, inputs})).rejects.toThrow('fold 33 of 50 has no clips');
  });

  test('cuts clips of several vectors to pieces of one length', async () => {
    const counted = {content: 'row,fname,label,fold,n\n0,b,Bell,1,1\n1,a,Cow,2,4\n'};
    const values = {content: encodeNpy({shape: [5, 1], data: Float32Array.of(9, 1, 2, 3, 4)})};
    const run = (params: {pieces?: 'whole'; length: number}) =>
      runStage(vectors, {params: {countColumn: 'n', ...params}, inputs: {vectors: values, table: counted}});
    const {outputs} = await run({length: 2});
    expect(readFloat32(outputs.features, 3)).toEqual({shape: [3, 2, 1], data: Float32Array.of(1, 2, 3, 4, 9, 9)});
    expect(readPieceRows(outputs.rows).map(({key, piece}) => `${key}${piece}`)).toEqual(['a0', 'a1', 'b0']);
    const whole = await run({length: 3, pieces: 'whole'});
    expect(readFloat32(whole.outputs.features, 3)).toEqual({
      shape: [2, 3, 1],
      data: Float32Array.of(1, 2, 3, 9, 0, 0),
    });
    const cube = {content: encodeNpy({shape: [2, 2, 1], data: Float32Array.of(1, 2, 3, 4)})};
    const pairs = {content: 'fname,label,fold\nb,Bell,1\na,Cow,2\n'};
    const both = await runStage(vectors, {params: {length: 2}, inputs: {vectors: cube, table: pairs}});
    expect(readFloat32(both.outputs.features, 3)).toEqual({shape: [2, 2, 1], data: Float32Array.of(3, 4, 1, 2)});
  });

  test('is what segments makes of a file for each clip, byte for byte', async () => {
    const data = Float32Array.from({length: 24}, (_, i) => i / 7);
    const counts = {b: 3, a: 1, d: 5, c: 3};
    const lines = Object.entries(counts).map(([key, n], i) => `${key}.wav,${i % 2},${i % 2 === 0 ? 'x' : 'y'},${n}`);
    const made = await runStage(vectors, {
      params: {countColumn: 'n', length: 2, scales: [1, 2], firstFold: 0},
      inputs: {
        vectors: {content: encodeNpy({shape: [12, 2], data})},
        table: {content: `fname,fold,label,n\n${lines.join('\n')}\n`},
      },
    });
    let first = 0;
    const files: Record<string, Uint8Array> = {};
    for (const [key, n] of Object.entries(counts)) {
      files[`${key}.npy`] = encodeNpy({shape: [n, 2], data: data.slice(2 * first, 2 * (first + n))});
      first += n;
    }
    const cut = await runStage(segments, {
      params: {length: 2, scales: [1, 2]},
      inputs: {features: {files}, folds: made.outputs.folds},
    });
    expect(readFileSync(made.outputs.features)).toEqual(readFileSync(cut.outputs.features));
    expect(readFileSync(made.outputs.rows, 'utf8')).toBe(readFileSync(cut.outputs.rows, 'utf8'));
  });

  test('refuses an array of another table, values that are no numbers, folds with gaps', async () => {
    const run = (params: object, content: Uint8Array, rows = table) =>
      runStage(vectors, {params: {...official, ...params}, inputs: {vectors: {content}, table: rows}});
    await expect(run({}, Buffer.from('ccaadd'))).rejects.toThrow('the table is for 4 rows of the array, which has 3');
    await expect(run({width: 1}, bytes.content)).rejects.toThrow('4 rows of the array, which has 8');
    const data = Float32Array.of(1, 1, 1, 1, 1, Number.NaN, 1, 1);
    await expect(run({format: 'npy'}, encodeNpy({shape: [4, 2], data}))).rejects.toThrow(
      'the vectors of clip `d` hold what is not a finite number',
    );
    const gap = {content: table.content.replaceAll(/,1$/gm, ',2')};
    await expect(run({}, bytes.content, gap)).rejects.toThrow('fold 2 of 3 has no clips');
  });
});
