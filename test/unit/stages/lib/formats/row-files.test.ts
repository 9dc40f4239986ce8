import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {closeAll} from '../../../../../stages/lib/formats/append-file.ts';
import {csvWriter} from '../../../../../stages/lib/formats/csv-writer.ts';
import {writeCsv} from '../../../../../stages/lib/formats/csv.ts';
import {readLines} from '../../../../../stages/lib/formats/lines.ts';
import {openFloat32Rows, openNpyRows} from '../../../../../stages/lib/formats/npy-rows.ts';
import {npyWriter} from '../../../../../stages/lib/formats/npy-writer.ts';
import {encodeNpy} from '../../../../../stages/lib/formats/npy.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const folder = temporaryFolder();
const file = join(folder, 'file');

describe('npyWriter', () => {
  test('writes the bytes of encodeNpy, for any number of rows', () => {
    const shapes = fc.array(fc.integer({min: 1, max: 5}), {maxLength: 3});
    fc.assert(
      fc.property(shapes, fc.nat({max: 30}), fc.boolean(), (rowShape, rows, bytes) => {
        const size = rowShape.reduce((a, b) => a * b, 1);
        const values = Array.from({length: rows * size}, (_, i) => (i * 77) % 256);
        const data = bytes ? Uint8Array.from(values) : Int32Array.from(values);
        const writer = npyWriter(file, rowShape, data);
        for (let row = 0; row < rows; row++) writer.write(data.subarray(row * size, (row + 1) * size));
        expect(writer.rows).toBe(rows);
        writer.close();
        expect(readFileSync(file)).toEqual(Buffer.from(encodeNpy({shape: [rows, ...rowShape], data})));
      }),
    );
  });

  // It holds back 262 144 bytes: less than a row, a header and a row but for four bytes, several rows.
  test.each([350_000, 262_020, 100_000])('writes rows of %i bytes', (size) => {
    const data = new Uint8Array(4 * size).map((_, i) => i);
    const writer = npyWriter(file, [size], data);
    for (let row = 0; row < 4; row++) writer.write(data.subarray(row * size, (row + 1) * size));
    writer.close();
    expect(readFileSync(file).equals(encodeNpy({shape: [4, size], data}))).toBe(true);
  });

  test('refuses a row of another size, and a shape that its header cannot hold', () => {
    const writer = npyWriter(file, [2], new Uint8Array(0));
    expect(() => writer.write(new Uint8Array(3))).toThrow('a row has 3 values, not 2');
    writer.close();
    expect(() => npyWriter(file, Array<number>(20).fill(1), new Uint8Array(0))).toThrow(RangeError);
  });
});

describe('csvWriter', () => {
  test('writes the bytes of writeCsv', () => {
    const rows = [
      ['a,b', 1],
      ['"', 2.5],
      ['ä\n', -3],
    ];
    const writer = csvWriter(file, ['x', 'y']);
    for (const row of rows) writer.write(row);
    writer.close();
    const text = readFileSync(file, 'utf8');
    writeCsv(file, ['x', 'y'], rows);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  test('refuses a row of another length', () => {
    const writer = csvWriter(file, ['x', 'y']);
    expect(() => writer.write(['a'])).toThrow('a csv row has 1 fields, the header has 2');
    writer.close();
  });
});

test('closeAll closes all, and says what went wrong', () => {
  const closed: number[] = [];
  const good = (n: number) => ({close: () => void closed.push(n)});
  const bad = {
    close() {
      throw new Error('full');
    },
  };
  expect(() => closeAll(good(1), bad, good(2))).toThrow('full');
  expect(closed).toEqual([1, 2]);
});

describe('openNpyRows', () => {
  const data = Uint8Array.from({length: 24}, (_, i) => i);

  test('reads any rows', () => {
    writeFileSync(file, encodeNpy({shape: [4, 2, 3], data}));
    const rows = openNpyRows(file, 'the array');
    expect([rows.shape, rows.width]).toEqual([[4, 2, 3], 6]);
    const into = new Uint8Array(12);
    rows.read(2, into);
    expect(into).toEqual(data.subarray(12));
    expect(() => rows.read(3, into)).toThrow('rows from 3 on: 12 values; there are 4 rows of 6');
    rows.close();
  });

  test.each<[string, Uint8Array, string]>([
    ['other values', encodeNpy({shape: [1], data: Int32Array.of(1)}), 'the array holds <i4 values; uint8 is needed'],
    ['one value', encodeNpy({shape: [], data: Uint8Array.of(1)}), 'the array is a single value; rows are needed'],
    ['a cut file', encodeNpy({shape: [4, 6], data}).subarray(0, 140), 'needs 24 bytes, the file has 12'],
    ['no array', Buffer.from('row,class\n'), 'the array is not a usable .npy file'],
    ['nothing', new Uint8Array(0), 'the array is not a usable .npy file'],
  ])('refuses %s', (_, bytes, message) => {
    writeFileSync(file, bytes);
    expect(() => openNpyRows(file, 'the array')).toThrow(message);
  });
});

test('openFloat32Rows reads any rows of float32, and refuses uint8', () => {
  const data = Float32Array.from({length: 12}, (_, i) => i / 8);
  writeFileSync(file, encodeNpy({shape: [4, 3], data}));
  const rows = openFloat32Rows(file, 'the array');
  const into = new Float32Array(6);
  rows.read(1, into);
  expect(into).toEqual(data.subarray(3, 9));
  expect(() => rows.read(3, into)).toThrow('rows from 3 on: 6 values; there are 4 rows of 3');
  writeFileSync(file, encodeNpy({shape: [4, 3], data}).subarray(0, 160));
  expect(() => rows.read(1, into)).toThrow('the array was cut while it was read');
  rows.close();
  writeFileSync(file, encodeNpy({shape: [1], data: Uint8Array.of(1)}));
  expect(() => openFloat32Rows(file, 'the array')).toThrow('the array holds |u1 values; float32 is needed');
});

describe('readLines', () => {
  const lines = (content: string | Uint8Array): readonly string[] => {
    writeFileSync(file, content);
    return [...readLines(file, 'the table')];
  };

  test('gives the lines without their ends', () => {
    expect(lines('a\nb\r\n\nc')).toEqual(['a', 'b', '', 'c']);
    expect(lines('a\n')).toEqual(['a']);
    expect(lines('')).toEqual([]);
  });

  test('joins lines and characters over the edges of its steps', () => {
    const long = Array.from({length: 9000}, (_, i) => 'ä€𝄞'.repeat(i % 11) + i);
    expect(lines(long.join('\n'))).toEqual(long);
  });

  test('refuses what is not UTF-8', () => {
    expect(() => lines(Uint8Array.of(0x61, 0xff))).toThrow('the table is not UTF-8 text');
    expect(() => lines(Uint8Array.of(0x61, 0xc3))).toThrow('the table is not UTF-8 text');
  });
});
