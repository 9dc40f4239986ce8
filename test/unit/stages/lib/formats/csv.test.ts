import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {parseCsv, readCsv, writeCsv} from '../../../../../stages/lib/formats/csv.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const records = (text: string) => parseCsv(text, []).rows.map((row) => row.record);

describe('parseCsv', () => {
  test.each<[string, string]>([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['no line end at the end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n3,4\n'],
    ['empty lines', 'a,b\n\n1,2\r\n\r\n3,4\n\n'],
    ['quotes everywhere', '"a","b"\n"1","2"\n"3","4"\n'],
  ])('reads %s', (_, text) => {
    expect(records(text)).toEqual([
      {a: '1', b: '2'},
      {a: '3', b: '4'},
    ]);
  });

  test('reads commas, quotes and line breaks in quotes, and keeps the line of each row', () => {
    const table = parseCsv('id,text\n1,"a, ""b""\nc\r\nd"\n2,\n3,""\n', ['text']);
    expect(table.columns).toEqual(['id', 'text']);
    expect(table.rows).toEqual([
      {line: 2, record: {id: '1', text: 'a, "b"\nc\r\nd'}},
      {line: 5, record: {id: '2', text: ''}},
      {line: 6, record: {id: '3', text: ''}},
    ]);
  });

  test('a column may have any name', () => {
    expect(Object.entries(records('__proto__,constructor\n1,2\n')[0]!)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'labels is empty; a header row is needed'],
    ['a missing column', 'fname,x\n', 'labels, line 1: no column `label`'],
    ['a repeated column', 'label,label\n', 'labels, line 1: column `label` appears twice'],
    ['a short row', 'label,x\n1,2\n\n1\n', 'labels, line 4: 1 field, the header has 2'],
    ['a long row', 'label,x\n1,2,3\n', 'labels, line 2: 3 fields, the header has 2'],
    [
      'many rows of a wrong length',
      `label,x\n1,2\n${'1\n'.repeat(11)}1,2,3\n`,
      `labels has 12 rows of another length than the header's 2 fields: ` +
        `${Array.from({length: 10}, (_, i) => `line ${i + 3} has 1`).join(', ')} and 2 more`,
    ],
    ['an open quote', 'label,x\n1,2\n"1,2\n3', 'labels, line 3: a quoted field is never closed'],
    ['text after a quote', 'label,x\n"1"2,3\n', 'labels, line 2: text after the closing quote of a field'],
    [
      'a quote inside a field',
      'label,x\na"b,3\n',
      'labels, line 2: a quote inside a field that does not start with one',
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseCsv(text, ['label'], 'labels')).toThrow(StageError);
    expect(() => parseCsv(text, ['label'], 'labels')).toThrow(message);
  });
});

describe('files', () => {
  test('any table is read back as it was written', () => {
    const path = join(temporaryFolder(), 'x.csv');
    const text = fc.oneof(fc.string({unit: 'grapheme'}), fc.string({unit: fc.constantFrom('a', ',', '"', '\n', '\r')}));
    fc.assert(
      fc.property(fc.uniqueArray(text, {minLength: 1, maxLength: 4}), fc.array(fc.array(text)), (columns, cells) => {
        const rows = cells.map((row) => columns.map((_, i) => row[i] ?? ''));
        writeCsv(path, columns, rows);
        expect(readCsv(path, columns)).toEqual(
          rows.map((row) => Object.fromEntries(row.map((v, i) => [columns[i], v]))),
        );
      }),
    );
  });

  test('quotes only where needed, LF only', () => {
    const path = join(temporaryFolder(), 'x.csv');
    writeCsv(
      path,
      ['a', 'b'],
      [
        [0.1, 'x y'],
        [-3, 'x,"y"'],
      ],
    );
    expect(readFileSync(path, 'utf8')).toBe('a,b\n0.1,x y\n-3,"x,""y"""\n');
    expect(() => writeCsv(path, ['a'], [[Number.NaN]])).toThrow(RangeError);
    expect(() => writeCsv(path, ['a'], [['x', 'y']])).toThrow(RangeError);
  });

  test('refuses bytes that are not UTF-8', () => {
    const path = join(temporaryFolder(), 'x.csv');
    writeFileSync(path, Buffer.from([0x61, 0x0a, 0xe9, 0x0a]));
    expect(() => readCsv(path, [], 'labels')).toThrow('labels is not UTF-8 text');
  });
});
