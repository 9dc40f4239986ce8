import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {multiHotBytes, setClasses} from '../../../../../stages/lib/audioset/multi-hot.ts';
import {encodeNpy} from '../../../../../stages/lib/formats/npy.ts';
import {openTaggedClips} from '../../../../../stages/lib/tagging/tagged-clips.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const folder = temporaryFolder();
const CLASSES = 10;

function bytes(name: string, shape: readonly number[], values: readonly number[]): string {
  const path = join(folder, `${name}.npy`);
  writeFileSync(path, encodeNpy({shape, data: Uint8Array.from(values)}));
  return path;
}

function targets(name: string, labels: readonly (readonly number[])[]): string {
  const width = multiHotBytes(CLASSES);
  const rows = labels.flatMap((own) => {
    const row = new Uint8Array(width);
    setClasses(row, own);
    return [...row];
  });
  return bytes(name, [labels.length, width], rows);
}

const features = [
  bytes('a', [2, 2, 2], [0, 128, 64, 255, 128, 128, 128, 0]),
  bytes('none', [0, 2, 2], []),
  bytes('b', [1, 2, 2], [192, 0, 128, 64]),
];
const labels = [targets('ta', [[0, 9], [3]]), targets('tnone', []), targets('tb', [[3, 8]])];
const open = (): ReturnType<typeof openTaggedClips> => openTaggedClips(features, labels, CLASSES, 'the clips');

describe('tagged clips', () => {
  test('are counted through over the files, in any order', () => {
    const clips = open();
    try {
      expect(clips).toMatchObject({count: 3, vectors: 2, width: 2, classes: CLASSES});
      const {inputs, targets: wanted} = clips.batch(Int32Array.of(2, 0, 2));
      expect(inputs['features']).toEqual({
        shape: [3, 2, 2],
        data: Float32Array.of(0.5, -1, 0, -0.5, -1, 0, -0.5, 127 / 128, 0.5, -1, 0, -0.5),
      });
      expect(wanted.shape).toEqual([3, CLASSES]);
      const found = [...wanted.data.entries()].flatMap(([i, value]) => (value === 1 ? [i] : []));
      expect(found).toEqual([3, 8, 10, 19, 23, 28]);
    } finally {
      clips.close();
    }
  });

  test('are members of each of their classes', () => {
    const clips = open();
    try {
      const {rows, starts} = clips.members(Int32Array.of(0, 2), 'row');
      expect([...rows]).toEqual([0, 2, 2, 0]);
      expect([...clips.members(Int32Array.of(1), 'row').rows]).toEqual([1]);
      expect(clips.batch(Int32Array.of(1)).inputs['features']?.data).toEqual(Float32Array.of(0, 0, 0, -1));
      expect([...clips.members(Int32Array.of(0, 2), 'place').rows]).toEqual([0, 1, 1, 0]);
      expect([...starts]).toEqual([0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 4]);
    } finally {
      clips.close();
    }
  });

  test('a list that grows keeps what it had', () => {
    const count = 3000;
    const many = openTaggedClips(
      [bytes('many', [count, 1, 1], new Array<number>(count).fill(7))],
      [
        targets(
          'tmany',
          Array.from({length: count}, () => [4]),
        ),
      ],
      CLASSES,
      'the clips',
    );
    try {
      const all = Int32Array.from({length: count}, (_, row) => row);
      expect(many.members(all, 'row').rows).toEqual(all);
    } finally {
      many.close();
    }
  });

  test.each([
    ['fewer arrays of targets', features, labels.slice(1), 'have 3 arrays of features and 2 of targets'],
    ['no arrays', [], [], 'have 0 arrays of features'],
    ['no clip', features.slice(1, 2), labels.slice(1, 2), 'the clips hold no clip'],
    [
      'other rows',
      features.slice(0, 1),
      labels.slice(2),
      'features 1 of the clips have 2 rows, and the targets have 1',
    ],
    ['other vectors', [features[0] ?? '', bytes('w', [1, 1, 2], [1, 2])], labels.slice(0, 2), 'have shape (1, 1, 2)'],
    ['no vectors', [bytes('v', [1, 4], [1, 2, 3, 4])], labels.slice(2), '(rows, 4, values) is needed'],
    ['too few bits', features.slice(2), [bytes('bits', [1, 1], [1])], '(rows, 2) is needed for 10 classes'],
  ])('are refused with %s', (_, ownFeatures, ownLabels, message) => {
    expect(() => openTaggedClips(ownFeatures, ownLabels, CLASSES, 'the clips')).toThrow(message);
  });

  test('are refused with a class that the table lacks', () => {
    const clips = openTaggedClips(features.slice(2), [bytes('beyond', [1, 2], [0, 0b00100000])], CLASSES, 'the clips');
    try {
      expect(() => clips.batch(Int32Array.of(0))).toThrow('row 0 of the clips has class 10');
    } finally {
      clips.close();
    }
  });
});
