import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {bytesText} from '../../../src/report/bytes.ts';
import {agoText, durationText} from '../../../src/report/duration.ts';
import {textTable} from '../../../src/report/table.ts';
import {padEnd, printable, textWidth, truncate} from '../../../src/report/text-width.ts';

test('durations', () => {
  const spans = [-5, NaN, 0, 1, 99.4, 99.6, 1449, 9949, 9951, 59_499, 59_500, 65_000, 3_599_000, 3_599_900, 3_780_000];
  expect(spans.map(durationText)).toEqual([
    '0 ms',
    '0 ms',
    '0 ms',
    '1 ms',
    '99 ms',
    '0.1 s',
    '1.4 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '1 min 05 s',
    '59 min 59 s',
    '1 h 00 min',
    '1 h 03 min',
  ]);
  expect([0, 61_000, 3_700_000, 200_000_000].map(agoText)).toEqual(['just now', '1 min ago', '1 h ago', '2 days ago']);
});

test('sizes', () => {
  expect([0, 999, 1000, 1024, 3500, 102_400, 1_048_000, 5e9, 1e16].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.0 KiB',
    '1.0 KiB',
    '3.4 KiB',
    '100 KiB',
    '1.0 MiB',
    '4.7 GiB',
    '9095 TiB',
  ]);
});

describe('text width', () => {
  test('counts columns, not characters', () => {
    expect(['abc', '日本', 'é', 'e\u0301', '😀', '👨‍👩‍👧', '\u001b[31mred\u001b[39m', ''].map(textWidth)).toEqual([
      3, 4, 1, 1, 2, 2, 3, 0,
    ]);
  });

  test('truncate cuts at a column without halving a wide character', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdef', 5)).toBe('abcd…');
    expect(truncate('日本語', 5)).toBe('日本…');
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('abc', 1)).toBe('…');
    expect(truncate('abc', 0)).toBe('');
  });

  test('truncate never exceeds its columns, and pads fill them', () => {
    fc.assert(
      fc.property(fc.string({unit: 'grapheme'}), fc.nat(40), (text, columns) => {
        const clean = printable(text).replaceAll('\n', '');
        const cut = truncate(clean, columns);
        expect(textWidth(cut)).toBeLessThanOrEqual(columns);
        expect(textWidth(padEnd(cut, columns))).toBe(columns);
      }),
    );
  });

  test('printable takes out what would move the cursor and keeps the last state of a rewritten line', () => {
    expect(printable('10 %\r50 %\r100 %\n\u001b[2J\u001b]0;title\u0007ok\u0007\tx\u001b[0m\r\n')).toBe(
      '100 %\nok    x\n',
    );
  });
});

test('tables', () => {
  const columns = [{title: 'name'}, {title: 'MAP@3', align: 'right' as const}];
  const rows = [
    ['h1', '0.5'],
    ['日本', '0.125'],
    ['a|b', ''],
  ];
  expect(textTable(columns, rows)).toBe(['name  MAP@3', 'h1      0.5', '日本  0.125', 'a|b'].join('\n'));
  expect(textTable([{title: ''}, {title: ''}], [['a', 'b']])).toBe('a  b');
});
