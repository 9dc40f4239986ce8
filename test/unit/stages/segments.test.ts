import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy, readFloat32, readUint8} from '../../../stages/lib/formats/npy.ts';
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
      'row,key,piece,class,split,fold,parent,label,verified,weight\n' +
        '0,a,0,0,train,1,,Bell,1,1\n1,b,0,0,train,2,,Bell,1,1\n2,b,1,0,train,2,,Bell,1,1\n3,c,0,1,train,1,,Cow,0,1\n' +
        '4,d,0,1,test,0,,Cow,1,1\n5,d,1,1,test,0,,Cow,1,1\n6,d,2,1,test,0,,Cow,1,1\n',
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

  test('copies come from a collection of their own, and say their parent', async () => {
    const withCopy = {content: `${folds.content}b/pitch+05,Bell,0,1,train,2,,b\n`};
    const originals = featuresOf({a: 1, b: 3, c: 2, d: 1});
    const copies = {files: {'b/pitch+05.npy': originals.files['c.npy'] as Uint8Array}};
    const {outputs, metrics} = await runStage(segments, {
      params: {length: 2},
      inputs: {features: [originals, copies], folds: withCopy},
    });
    expect(readFileSync(outputs.rows, 'utf8').split('\n').slice(2, 5)).toEqual([
      '1,b,0,0,train,2,,Bell,1,1',
      '2,b,1,0,train,2,,Bell,1,1',
      '3,b/pitch+05,0,0,train,2,b,Bell,1,1',
    ]);
    expect(Buffer.from(readUint8(outputs.features).data.subarray(12, 16)).toString('latin1')).toBe('cdef');
    expect(metrics).toEqual({rows: 6, clips: 5, copies: 1});
    const both = {files: {...copies.files, 'b.npy': originals.files['b.npy'] as Uint8Array}};
    await expect(runStage(segments, {inputs: {features: [originals, both], folds: withCopy}})).rejects.toThrow(
      'the features have two entries for clip `b`',
    );
    await expect(runStage(segments, {inputs: {features: originals, folds: withCopy}})).rejects.toThrow(
      'no entry for clip `b/pitch+05`',
    );
  });

  test('one vector a piece, the first piece only, zeros: by params', async () => {
    const features = featuresOf({a: 1, b: 3, c: 2, d: 5});
    const run = (params: {length: number; long?: 'truncate'; short?: 'zero'}) =>
      runStage(segments, {params, inputs: {features, folds}});
    const single = readUint8((await run({length: 1})).outputs.features);
    expect(single.shape).toEqual([11, 1, 2]);
    const {shape, data} = readUint8((await run({length: 2, long: 'truncate', short: 'zero'})).outputs.features);
    expect(shape).toEqual([4, 2, 2]);
    expect(Buffer.from(data).toString('latin1')).toBe('ab\0\0bcdecdefdefg');
  });

  test('copies are left out where they are not wanted, also of what is read', async () => {
    const withCopy = {content: `${folds.content}b/pitch+05,Bell,0,1,train,2,,b\n`};
    const features = featuresOf({a: 1, b: 3, c: 2, d: 1});
    const copy = {files: {'b/pitch+05.npy': features.files['c.npy'] as Uint8Array}};
    const run = (copies: readonly (typeof copy)[], table: typeof folds) =>
      runStage(segments, {params: {length: 2, copies: false}, inputs: {features: [features, ...copies], folds: table}});
    const [without, some, all] = [await run([], folds), await run([], withCopy), await run([copy], withCopy)];
    for (const {outputs, metrics} of [some, all]) {
      expect(readFileSync(outputs.rows)).toEqual(readFileSync(without.outputs.rows));
      expect(readFileSync(outputs.features)).toEqual(readFileSync(without.outputs.features));
      expect(metrics).toEqual({rows: 5, clips: 4, copies: 0});
    }
  });

  test('whole clips: a row each, padded by what is masked', async () => {
    const features = featuresOf({a: 1, b: 3, c: 2, d: 5});
    const params = {length: 3, pieces: 'whole', scales: [1, 100]} as const;
    const {outputs, metrics} = await runStage(segments, {params, inputs: {features, folds}});
    expect(metrics).toMatchObject({rows: 4, clips: 4});
    const {shape, data} = readUint8(outputs.features, 3);
    expect(shape).toEqual([4, 3, 4]);
    expect([...data.subarray(0, 12)]).toEqual([97, 98, 97, 98, ...Array.from({length: 8}, () => 128)]);
    expect([...data.subarray(12, 24)]).toEqual([98, 99, 100, 101, 100, 101, 100, 101, 102, 103, 100, 101]);
  });

  test('float vectors stay as they are', async () => {
    const files = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((key, i) => [
        `${key}.npy`,
        encodeNpy({shape: [1, 2], data: Float32Array.of(i / 3, -i)}),
      ]),
    );
    const run = () => runStage(segments, {params: {length: 2}, inputs: {features: {files}, folds}});
    const {shape, data} = readFloat32((await run()).outputs.features);
    expect(shape).toEqual([4, 2, 2]);
    expect([...data.subarray(4, 8)]).toEqual([Math.fround(1 / 3), -1, Math.fround(1 / 3), -1]);
    files['c.npy'] = encodeNpy({shape: [1, 2], data: Float32Array.of(Number.NaN, 1)});
    await expect(run()).rejects.toThrow('the array of clip c holds what is not a finite number');
    files['c.npy'] = encodeNpy({shape: [1, 2], data: Float64Array.of(1, 1)});
    await expect(run()).rejects.toThrow('the array of clip c is neither uint8 nor float32');
  });
});
