import {describe, expect, test} from 'vitest';
import {publishedTable} from '../../../../../stages/lib/figures/published.ts';
import {makeReference} from '../../../../../stages/lib/figures/reference.ts';

/** As printed in the thesis: both halves of the matrix of Table 14. */
const TABLE_14 = `
level-1   0.930       0.360 0.108 0.165 0.120 0.323 0.050
level-2   0.929 0.360       0.204 0.286 0.238 0.258 0.048
level-3   0.934 0.108 0.204       0.400 0.428 0.066 0.169
level-12  0.935 0.165 0.286 0.400       0.475 0.098 0.159
level-13  0.929 0.120 0.238 0.428 0.475       0.019 0.101
level-23  0.928 0.323 0.258 0.066 0.098 0.019       0.012
level-123 0.936 0.050 0.048 0.169 0.159 0.101 0.012      `;

describe('the published tables', () => {
  test('10 has three scores of each model', () => {
    const rows = publishedTable('table-10').variants.map(({variant, scores}) =>
      [variant, ...Object.values(scores)].join(' '),
    );
    expect(rows).toEqual([
      'DNN-1 0.253 0.934 2.133',
      'DNN-2 0.294 0.96 2.482',
      'LSTM 0.307 0.953 2.367',
      'level-1 0.334 0.957 2.422',
      'level-2 0.346 0.961 2.497',
      'level-3 0.347 0.963 2.52',
      'level-12 0.338 0.957 2.423',
      'level-13 0.335 0.959 2.457',
      'level-23 0.345 0.962 2.506',
      'level-123 0.34 0.958 2.439',
    ]);
  });

  test('12 and 13 have MAP@3', () => {
    const rows = (table: 'table-12' | 'table-13') =>
      publishedTable(table).variants.map(({variant, scores}) => `${variant} ${scores.map3}`);
    expect(rows('table-12')).toEqual([
      'Baseline 0.704',
      'Original VGGish 0.606',
      'Balanced First Part 0.87',
      'Balanced Last Part 0.864',
      'Balanced Ensemble 0.891',
      'Unbalanced First Part 0.858',
      'Unbalanced Last Part 0.872',
      'Unbalanced Ensemble 0.892',
      'All Ensemble 0.903',
    ]);
    expect(rows('table-13')).toEqual(
      ['A 0.903', 'B 0.914', 'C 0.925', 'D 0.93', 'E 0.93', 'F 0.936', 'G 0.931', 'H 0.93'], // prettier-ignore
    );
  });

  test('14 has MAP@3 and the p-values of all pairs, the same in either order', () => {
    const reference = makeReference(publishedTable('table-14'));
    const rows = TABLE_14.trim().split('\n').map((row) => row.split(/\s+/)); // prettier-ignore
    const names = rows.map(([name = '']) => name);
    expect(reference.variants.map(({variant}) => variant)).toEqual(names);
    for (const [i, [name = '', map3, ...own]] of rows.entries()) {
      expect(reference.find(name)?.scores).toEqual({map3: Number(map3)});
      const others = names.filter((_, k) => k !== i);
      expect(others.map((other) => reference.pair(name, other))).toEqual(own.filter((p) => p !== '').map(Number));
    }
  });

  test('11, 15 and 16 have what the text says of them', () => {
    const eleven = makeReference(publishedTable('table-11'));
    expect(eleven.pair('h3', 'h2')).toBe(0.21);
    expect([eleven.pair('h1', 'h1+h3'), eleven.pair('h2+h3', 'h2'), eleven.pair('h3', 'h2+h3')]).toEqual(
      ['similar', 'similar', 'similar'], // prettier-ignore
    );
    expect(eleven.pairs).toHaveLength(4);
    const fifteen = makeReference(publishedTable('table-15'));
    expect(fifteen.variants.map(({scores}) => scores.map3)).toEqual(
      [undefined, undefined, undefined, 0.936, undefined, undefined, undefined], // prettier-ignore
    );
    expect(['1', '8', '10', '4', 'all', '2'].map((other) => fifteen.pair('6', other))).toEqual(
      ['different', 'different', 'different', 'similar', 'similar', undefined], // prettier-ignore
    );
    expect(publishedTable('table-16').notes[0]).toContain('Flute, Saxophone, Clarinet; and Cello');
  });
});
