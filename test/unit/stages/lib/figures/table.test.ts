import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {latexTable, markdownTable, type Table} from '../../../../../stages/lib/figures/table.ts';

const texts = fc.string({unit: 'grapheme'});
const tables: fc.Arbitrary<Table> = fc.integer({min: 1, max: 4}).chain((columns) => {
  const cells = fc.record({text: texts, best: fc.boolean(), marked: fc.boolean()});
  const row = fc.array(cells, {minLength: columns, maxLength: columns});
  return fc.record({
    title: texts,
    head: fc.array(texts, {minLength: columns, maxLength: columns}),
    textColumns: fc.constant([0]),
    rows: fc.array(row),
    notes: fc.array(fc.array(texts)),
  });
});

describe('LaTeX', () => {
  test('has braces in pairs, a line a row and as many cells in each, whatever the text', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const latex = latexTable(table);
        let depth = 0;
        for (const [token] of latex.matchAll(/\\.|[{}]/gsu)) {
          depth += token === '{' ? 1 : token === '}' ? -1 : 0;
          expect(depth).toBeGreaterThanOrEqual(0);
        }
        expect(depth).toBe(0);
        // Nothing ends the argument of \caption, and every row starts with what does not belong to the line end before.
        expect(latex).not.toContain('\n\n');
        const rows = latex.split('\n').filter((line) => line.endsWith(' \\\\'));
        expect(rows).toHaveLength(table.rows.length + 1);
        for (const row of rows) {
          expect(row.trim()).toMatch(/^[^*[]/);
          expect(row.match(/(?<!\\)(?:\\\\)*&/g) ?? []).toHaveLength(table.head.length - 1);
        }
      }),
    );
  });

  test('colours what is marked, and needs the package for it only then', () => {
    const table = {
      title: 'T',
      head: ['a'],
      rows: [[{text: '*[0.02', marked: true}], [{text: '[x]'}], [{text: ' *y'}]],
      notes: [],
    };
    expect(latexTable(table)).toContain('    \\cellcolor[gray]{0.85}{*}[0.02 \\\\\n    {[}x] \\\\\n     {*}y \\\\\n');
    expect(latexTable(table)).toMatch(/^% needs \\usepackage\{booktabs,colortbl\}\n/);
    expect(latexTable({...table, rows: []})).toMatch(/^% needs \\usepackage\{booktabs\}\n/);
  });
});

test('LaTeX of many columns is small', () => {
  const table = {title: 'T', head: ['a', 'b', 'c', 'd', 'e', 'f'], rows: [], notes: []};
  expect(latexTable(table)).not.toContain('footnotesize');
  expect(latexTable({...table, head: [...table.head, 'g']})).toContain(
    '  \\centering\n  \\footnotesize\\setlength{\\tabcolsep}{3pt}\n',
  );
});

describe('Markdown', () => {
  test('has a line a row and as many cells in each, whatever the text', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const rows = markdownTable({...table, title: '', notes: []})
          .split('\n')
          .filter((line) => line.startsWith('|'));
        expect(rows).toHaveLength(table.rows.length + 2);
        for (const row of rows) expect(row.match(/(?<!\\)(?:\\\\)*\|/g)).toHaveLength(table.head.length + 1);
      }),
    );
  });
});
