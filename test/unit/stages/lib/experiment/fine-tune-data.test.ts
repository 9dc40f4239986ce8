import {describe, expect, test} from 'vitest';
import {
  diskPieces,
  eachBatch,
  makeBatches,
  patchFiles,
  type ClipPieces,
} from '../../../../../stages/lib/experiment/fine-tune-data.ts';
import {writeNpy} from '../../../../../stages/lib/formats/npy.ts';
import {temporaryFolder, treeOf} from '../../../../support/stage-harness.ts';

const input = {name: 'patches', shape: [96, 64]};

/** Clip c has `counts[c]` pieces of two values, 10 c + piece. */
function numbered(counts: readonly number[]): ClipPieces {
  return {
    input: {name: 'x', shape: [2]},
    classOf: counts.map((_, clip) => clip % 3),
    classes: 3,
    counts,
    read: (clip) => Float32Array.from({length: 2 * (counts[clip] ?? 0)}, (_, i) => 10 * clip + Math.floor(i / 2)),
  };
}

describe('batches', () => {
  test('hold all pieces of each clip in order, cut at the number of rows', () => {
    const batches = makeBatches(numbered([1, 2, 3]), [2, 0, 1, 0], 3);
    expect(batches.map(({inputs}) => [...(inputs['x']?.data ?? [])].filter((_, i) => i % 2 === 0))).toEqual([
      [20, 21, 22],
      [0, 10, 11],
      [0],
    ]);
    expect(batches.map(({inputs}) => inputs['x']?.shape)).toEqual([
      [3, 2],
      [3, 2],
      [1, 2],
    ]);
    expect([...(batches[1]?.targets.data ?? [])]).toEqual([1, 0, 0, 0, 1, 0, 0, 1, 0]);
    expect(batches[1]?.targets.shape).toEqual([3, 3]);
  });

  test('say which clip of the list each piece is of', () => {
    const [first, second] = eachBatch(numbered([2, 1]), [1, 0, 1], 3);
    expect(first?.clipOf).toEqual([0, 1, 1]);
    expect(second).toMatchObject({clipOf: [2], classOf: [1]});
  });

  test('there are none of no clips', () => {
    expect(makeBatches(numbered([1]), [], 4)).toEqual([]);
  });
});

describe('diskPieces', () => {
  const folder = temporaryFolder();
  const patch = (...values: readonly number[]): Float32Array =>
    Float32Array.from({length: values.length * 96 * 64}, (_, i) => values[Math.floor(i / (96 * 64))] ?? 0);
  const write = (name: string, ...values: readonly number[]): void =>
    writeNpy(`${folder}/${name}.npy`, {shape: [values.length, 96, 64], data: patch(...values)});
  write('a', 1, 2);
  write('b', 3);
  write('empty');
  write('bad', 1, NaN);
  writeNpy(`${folder}/flat.npy`, {shape: [4, 64], data: new Float32Array(256)});
  const files = patchFiles([treeOf(folder)]);
  const pieces = (...keys: readonly string[]): ClipPieces =>
    diskPieces(
      keys.map((key) => ({key, classIndex: 1})),
      2,
      files,
      input,
    );

  test('counts and reads the patches of each clip', () => {
    const set = pieces('b', 'a');
    expect(set.counts).toEqual([1, 2]);
    expect(set.read(1)).toEqual(patch(1, 2));
    expect(set.classOf).toEqual([1, 1]);
  });

  test.each([
    ['none', 'no entry for clip `none`'],
    ['empty', 'clip `empty` has no patches'],
    ['flat', 'shape [4, 64]'],
  ])('refuses clip %s', (key, message) => {
    expect(() => pieces(key)).toThrow(message);
  });

  test('refuses what is not a finite number when it is read', () => {
    const set = pieces('a', 'bad');
    expect(() => set.read(1)).toThrow('the patches of clip `bad` hold a value that is not a finite number');
  });

  test('refuses a clip in two collections', () => {
    expect(() => patchFiles([treeOf(folder), treeOf(folder)])).toThrow('two entries for clip');
  });
});
