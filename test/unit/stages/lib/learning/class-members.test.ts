import {join} from 'node:path';
import {expect, test} from 'vitest';
import {classesWithMembers, membersOf, membersOfTargets} from '../../../../../stages/lib/learning/class-members.ts';
import {multiHotBytes, setClasses} from '../../../../../stages/lib/audioset/multi-hot.ts';
import {writeNpy} from '../../../../../stages/lib/formats/npy.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

test('groups pairs by class, in their order', () => {
  const members = membersOf(Int32Array.of(5, 3, 5, 9), Int32Array.of(2, 0, 0, 2), 4);
  expect(members).toEqual({classes: 4, rows: Int32Array.of(3, 5, 5, 9), starts: Int32Array.of(0, 2, 2, 4, 4)});
  expect(classesWithMembers(members)).toEqual([0, 2]);
  expect(membersOf(Int32Array.of(5), Int32Array.of(2), 0)).toMatchObject({classes: 3});
  expect(() => membersOf(Int32Array.of(5), Int32Array.of(2), 2)).toThrow('row 5 has class 2, and there are 2 classes');
  expect(membersOf(new Int32Array(0), new Int32Array(0), 0).classes).toBe(0);
});

test('reads targets that are larger than what it holds', () => {
  const [rows, classes] = [20_000, 527];
  const width = multiHotBytes(classes);
  const data = new Uint8Array(rows * width);
  const labelsOf = (row: number): number[] => [...new Set([row % classes, (row * 7) % classes])];
  for (let row = 0; row < rows; row++) setClasses(data.subarray(row * width, (row + 1) * width), labelsOf(row));
  const file = join(temporaryFolder(), 'targets.npy');
  writeNpy(file, {shape: [rows, width], data});
  const pairs = Array.from({length: rows}, (_, row) => labelsOf(row).map((c) => [row, c] as const)).flat();
  const expected = membersOf(
    Int32Array.from(pairs, ([row]) => row),
    Int32Array.from(pairs, ([, c]) => c),
    classes,
  );
  expect(membersOfTargets(file, classes, 'the targets')).toEqual(expected);
});
