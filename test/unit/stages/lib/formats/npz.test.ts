import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {readNpz, writeNpz} from '../../../../../stages/lib/formats/npz.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const golden = JSON.parse(readFileSync(new URL('../../../../golden/learning/npz.json', import.meta.url), 'utf8')) as {
  readonly stored: string;
  readonly deflated: string;
};

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'arrays.npz');
  writeFileSync(path, bytes);
  return path;
}

describe('readNpz', () => {
  test.each(['stored', 'deflated'] as const)('reads what NumPy writes, %s', (how) => {
    const arrays = readNpz(fileOf(Buffer.from(golden[how], 'base64')));
    expect([...arrays.keys()]).toEqual(['ints', 'halves']);
    expect(arrays.get('ints')).toEqual({shape: [2, 3], data: Int32Array.of(0, 1, 2, 3, 4, 5)});
    expect(arrays.get('halves')).toEqual({shape: [4], data: Float64Array.of(0, 0.5, 1, 1.5)});
  });

  test('refuses every file that is cut short', () => {
    for (const how of ['stored', 'deflated'] as const) {
      const bytes = Buffer.from(golden[how], 'base64');
      for (let length = 0; length < bytes.length; length += 7) {
        expect(() => readNpz(fileOf(bytes.subarray(0, length)))).toThrow(StageError);
      }
    }
  });

  test('refuses a changed byte of the content', () => {
    const bytes = Buffer.from(golden.stored, 'base64');
    const at = bytes.indexOf(Buffer.from(Float64Array.of(1.5).buffer));
    bytes[at] = 1;
    expect(() => readNpz(fileOf(bytes), 'the parameters')).toThrow(/the parameters .*halves.npy fails its CRC/);
  });
});

test('writeNpz writes what readNpz reads, sorted, the same bytes each time', () => {
  const folder = temporaryFolder();
  const arrays = {
    b: {shape: [2], data: Float64Array.of(1, 2)},
    a: {shape: [1, 2], data: Float32Array.of(3, 4)},
  };
  const [first, second] = [join(folder, '1.npz'), join(folder, '2.npz')] as const;
  writeNpz(first, arrays);
  writeNpz(second, {a: arrays.a, b: arrays.b});
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  expect([...readNpz(first)]).toEqual([
    ['a', arrays.a],
    ['b', arrays.b],
  ]);
});
