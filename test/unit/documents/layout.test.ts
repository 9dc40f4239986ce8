import fc from 'fast-check';
import {format} from 'prettier';
import {describe, expect, test} from 'vitest';
import {contentProblem, escapeText, fencedText, imageLink, unfencedText} from '../../../src/documents/layout.ts';
import {diffLines} from '../../../src/documents/line-diff.ts';
import {readOptions} from '../../../src/documents/options.ts';
import {splitWords} from '../../../src/documents/words.ts';

describe('fences', () => {
  const text = fc.string({unit: fc.constantFrom('`', '```', '````', 'a', '\n', ' ')});

  test('hold any text, which can be taken out again', () => {
    fc.assert(
      fc.property(text, (inner) => {
        const fenced = fencedText(inner);
        expect(unfencedText(fenced)).toBe(inner.replace(/\n$/, ''));
        const [fence = '', ...rest] = fenced.split('\n');
        const mark = fence.replace('text', '');
        expect(rest.findIndex((line) => line.trimStart().startsWith(mark))).toBe(rest.length - 2);
      }),
    );
  });

  test('of other languages are no fences of ours', () => {
    expect(unfencedText('```json\n{}\n```')).toBeUndefined();
    expect(unfencedText('````text\na\n```')).toBeUndefined();
    expect(unfencedText('text')).toBeUndefined();
  });
});

test('links to images', async () => {
  const links = [
    imageLink('img/a.svg', 'train[fold=1].map_3'),
    imageLink('a b(1)%.svg', 'x *y* `z` <w>\nv'),
    imageLink('größe_1.png', ''),
  ];
  expect(links).toEqual([
    '![train\\[fold=1\\].map_3](img/a.svg)',
    '![x \\*y\\* &#96;z&#96; \\<w> v](a%20b%281%29%25.svg)',
    '![](größe_1.png)',
  ]);
  const lines = `${links.join('\n\n')}\n`;
  expect(await format(lines, {parser: 'markdown'})).toBe(lines);
  expect(escapeText('snake_case _a_ 2*3 a|b &amp; ~ x')).toBe('snake_case \\_a\\_ 2\\*3 a\\|b \\&amp; \\~ x');
});

test('what would end a block, or is no text, cannot stand in one', () => {
  expect(contentProblem('a <!-- note --> b')).toBeUndefined();
  expect(contentProblem('a <!-- mixdown: value x.y --> b')).toMatch(/mark that begins or ends/);
  expect(contentProblem('<!--/mixdown-->')).toMatch(/mark that begins or ends/);
  expect(contentProblem('a\0b')).toBe('is no text');
});

describe('words', () => {
  const words = (text: string): readonly string[] | string => {
    const split = splitWords(text, 10);
    return split.ok ? split.value.map(({text, start, end}) => `${start}-${end} ${text}`) : split.error.message;
  };

  test('are taken apart as a shell does it', () => {
    expect(words(` a  'b c'"d\\"e"\\ f\n--x="y z" '' \\`)).toEqual([
      '11-12 a',
      '14-28 b cd"e f',
      '29-38 --x=y z',
      '39-41 ',
      '42-43 \\',
    ]);
    expect(words('a "b')).toBe('the quote " is not closed');
    expect(words("'")).toBe("the quote ' is not closed");
  });

  test('of any text come back when each is quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (texts) => {
        const quoted = texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(' ');
        const split = splitWords(quoted, 0);
        expect(split.ok && split.value.map(({text}) => text)).toEqual(texts);
      }),
    );
  });
});

test('options are read in each of their forms', () => {
  const split = splitWords('a --list x,y list=z --flag digits=2 b[c=1] --text= other=1', 0);
  const read = readOptions(split.ok ? split.value : [], {
    list: {takes: 'list'},
    flag: {takes: 'nothing'},
    digits: {takes: 'digits'},
    text: {takes: 'text'},
  });
  expect(read.faults).toEqual([]);
  expect(read.operands.map(({text}) => text)).toEqual(['a', 'b[c=1]', 'other=1']);
  expect(Object.fromEntries(read.values)).toEqual({list: ['x', 'y', 'z'], flag: [], digits: ['2'], text: ['']});
});

describe('differences of lines', () => {
  test('name the lines of both sides', () => {
    const [before, after] = ['a b c d'.split(' '), 'a x c d e'.split(' ')];
    expect(diffLines(before, after).map(({sign, line, text}) => `${sign}${line} ${text}`)).toEqual([
      '-2 b',
      '+2 x',
      '+5 e',
    ]);
    expect(diffLines(before, before)).toEqual([]);
  });

  test('make one side of the other, with no line more than needed', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), {maxLength: 8});
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const gone = new Set(diff.filter(({sign}) => sign === '-').map(({line}) => line));
        const kept: string[] = before.filter((_, index) => !gone.has(index + 1));
        for (const {sign, line, text} of diff) if (sign === '+') kept.splice(line - 1, 0, text);
        expect(kept).toEqual(after);
        for (const {sign, line, text} of diff) if (sign === '-') expect(before[line - 1]).toBe(text);
        expect(before.length + after.length - diff.length).toBe(2 * longestCommon(before, after));
      }),
    );
  });

  test('of large middles are one replacement', () => {
    const many = (prefix: string): readonly string[] =>
      Array.from({length: 1200}, (_, index) => prefix + (index % 7 ? index : ''));
    const diff = diffLines(['a', ...many('x')], ['a', ...many('y')]);
    expect([diff.length, diff[0]?.line, diff[1200]?.line]).toEqual([2400, 2, 2]);
  });

  function longestCommon([a, ...as]: readonly string[], [b, ...bs]: readonly string[]): number {
    if (a === undefined || b === undefined) return 0;
    return a === b ? 1 + longestCommon(as, bs) : Math.max(longestCommon(as, [b, ...bs]), longestCommon([a, ...as], bs));
  }
});
