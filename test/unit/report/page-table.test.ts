import {describe, expect, test} from 'vitest';
import {tableContent} from '../../../src/report/page-table.ts';

describe('a CSV on a page', () => {
  test('is a table: quoted fields, other line ends, a byte order mark, uneven rows', () => {
    expect(tableContent('\uFEFFa,b\r\n"1,""x""\ny",2\r\n\r\n3\r\n4,5,6', undefined)).toEqual({
      kind: 'table',
      columns: ['a', 'b'],
      rows: [
        ['1,"x"\ny', '2'],
        ['3', ''],
        ['4', '5'],
      ],
      more: 0,
    });
  });

  test('a table without rows shows nothing', () => {
    expect(tableContent('', undefined)).toBeUndefined();
    expect(tableContent('a,b\n', 'curve')).toBeUndefined();
  });

  test('says how many rows and characters it leaves out', () => {
    const long = tableContent(`a\n${'1\n'.repeat(700)}`, undefined);
    expect(long).toMatchObject({more: 200});
    const wide = tableContent(`a\n${`${'x'.repeat(50_000)}\n`.repeat(3)}${'y\n'.repeat(3)}`, undefined);
    expect(wide).toMatchObject({
      more: 0,
      rows: [[`${'x'.repeat(2000)}…`], [/^x/], [/^x/], ['y'], ['y'], ['y']].map((row) =>
        row.map((cell) => (typeof cell === 'string' ? cell : expect.stringMatching(cell))),
      ),
    });
    const columns = Array.from({length: 100}, (_, i) => `c${i}`).join(',');
    const row = Array.from({length: 100}, () => 'z'.repeat(1000)).join(',');
    expect(tableContent(`${columns}\n${`${row}\n`.repeat(5)}`, undefined)).toMatchObject({more: 4});
  });

  test('curve: lines over the first column, with gaps, without texts and further counters', () => {
    const text = 'iteration,epoch,loss,note,map\n1,1,2.5,a,\n2,1,NaN,b,\n4,2,0.123456789,c,0.25\n';
    expect(tableContent(text, 'curve')).toEqual({
      kind: 'curve',
      x: {name: 'iteration', values: [1, 2, 4]},
      lines: [
        {name: 'loss', values: [2.5, null, 0.123457]},
        {name: 'map', values: [null, null, 0.25]},
      ],
    });
    expect(tableContent('name,loss\na,1\n', 'curve')).toMatchObject({kind: 'table'});
    expect(tableContent('step,note\n1,a\n', 'curve')).toMatchObject({kind: 'table'});
  });

  test('confusion: counts with a row a true class', () => {
    expect(tableContent('true,cat,dog\ncat,3,1\ndog,0,2\n', 'confusion')).toEqual({
      kind: 'confusion',
      classes: ['cat', 'dog'],
      counts: [
        [3, 1],
        [0, 2],
      ],
    });
    expect(tableContent('true,cat,dog\ndog,3,1\ncat,0,2\n', 'confusion')).toMatchObject({kind: 'table'});
    expect(tableContent('true,cat,dog\ncat,3,\ndog,0,2\n', 'confusion')).toMatchObject({kind: 'table'});
  });

  test('bars: a named column, or the first one of numbers', () => {
    const text = 'label,clips,ap\ncat,3,0.5\ndog,2,\n';
    expect(tableContent(text, 'bars:ap')).toEqual({kind: 'bars', unit: 'ap', bars: [{name: 'cat', value: 0.5}]});
    expect(tableContent(text, 'bars')).toMatchObject({unit: 'clips', bars: [{value: 3}, {value: 2}]});
    expect(tableContent(text, 'bars:auc')).toMatchObject({kind: 'table'});
  });
});
