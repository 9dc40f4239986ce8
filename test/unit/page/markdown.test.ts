import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {inlineText, parseInline} from '../../../src/page/model/markdown-inline.ts';
import {parseMarkdown} from '../../../src/page/model/markdown.ts';

describe('blocks of Markdown', () => {
  it('reads headings, paragraphs, lists, rules and code', () => {
    const text = '# Title #\n\none\ntwo\n\n- a\n- b\n  more\n\n1. c\n\n---\n\n```js\n# no heading\n```\n';
    expect(parseMarkdown(text)).toEqual([
      {kind: 'heading', level: 1, text: [plain('Title')]},
      {kind: 'paragraph', text: [plain('one two')]},
      {kind: 'list', ordered: false, items: [[plain('a')], [plain('b more')]]},
      {kind: 'list', ordered: true, items: [[plain('c')]]},
      {kind: 'rule'},
      {kind: 'code', text: '# no heading'},
    ]);
  });

  it('reads a table with its alignment, and fills short rows', () => {
    const [table] = parseMarkdown('| a | b | c |\n| :-- | --: | :-: |\n| **1** | 2 |\n| x \\| y | `|` | z | over |\n');
    expect(table).toEqual({
      kind: 'table',
      align: ['left', 'right', 'center'],
      head: [[plain('a')], [plain('b')], [plain('c')]],
      rows: [
        [[{kind: 'strong', text: '1'}], [plain('2')], []],
        [[plain('x | y')], [{kind: 'code', text: '|'}], [plain('z')]],
      ],
    });
  });

  it('reads a table without outer bars, right after a paragraph, with Windows line ends', () => {
    const blocks = parseMarkdown('words\r\na | b\r\n-|-\r\n1 | 2\r\n\r\nend');
    expect(blocks.map(({kind}) => kind)).toEqual(['paragraph', 'table', 'paragraph']);
  });

  it('keeps a line with bars that is no table', () => {
    expect(parseMarkdown('a | b\nc | d')).toEqual([{kind: 'paragraph', text: [plain('a | b c | d')]}]);
  });

  it('takes code to the end when no fence closes it', () => {
    expect(parseMarkdown('```\na\n\nb')).toEqual([{kind: 'code', text: 'a\n\nb'}]);
  });
});

describe('a line of Markdown', () => {
  it('knows emphasis, code and web links', () => {
    expect(parseInline('**a** _b_ `c*d*` [e](https://f.org/g_h) \\*i\\*')).toEqual([
      {kind: 'strong', text: 'a'},
      plain(' '),
      {kind: 'emphasis', text: 'b'},
      plain(' '),
      {kind: 'code', text: 'c*d*'},
      plain(' '),
      {kind: 'link', text: 'e', href: 'https://f.org/g_h'},
      plain(' '),
      plain('*'),
      plain('i'),
      plain('*'),
    ]);
  });

  it.each(['snake_case_name', '2 * 3 * 4', '**', '`', '[a]', 'a_', '<b>x</b>', '<script>alert(1)</script>'])(
    'leaves %s as it is',
    (text) => {
      expect(inlineText(parseInline(text))).toBe(text);
    },
  );

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,<script>',
    'vbscript:x',
    '//host/a',
    '/a',
    '#a',
    'file:///etc/passwd',
    'https:alert(1)',
  ])('makes no link of %s', (target) => {
    expect(parseInline(`[a](${target})`).filter(({kind}) => kind === 'link')).toEqual([]);
  });

  it('shows the words of an image, and fetches none', () => {
    expect(parseInline('![a plot](https://host/a.png)')).toEqual([plain('a plot')]);
  });

  it('links to nothing but web pages, whatever the text', () => {
    const target = fc.oneof(fc.webUrl(), fc.string(), fc.constant('javascript:x'), fc.constant('\u0001javascript:x'));
    fc.assert(
      fc.property(fc.string(), target, fc.string(), (before, url, after) => {
        const pieces = parseInline(`${before}[x](${url})${after}`);
        const protocols = pieces.flatMap((piece) => (piece.kind === 'link' ? [new URL(piece.href).protocol] : []));
        expect(protocols.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([]);
      }),
    );
  });

  it('loses no character of text without marks', () => {
    const words = fc.string().filter((text) => !/[\\`*_![\]()]/.test(text));
    fc.assert(
      fc.property(words, (text) => {
        expect(inlineText(parseInline(text))).toBe(text);
      }),
    );
  });
});

it.each(['*', '**', '_', '`', '[', '![', '[](', '\\', '| ', '- ', '#', '# #', '[a]((', '**a', 'a|\n   ', '-|', ' '])(
  'gets through a megabyte of %s',
  (mark) => {
    const text = `x ${mark.repeat(Math.ceil(2 ** 20 / mark.length))}\n|\n${mark.repeat(1000)}x`;
    expect(parseMarkdown(text).length).toBeGreaterThan(0);
  },
);

function plain(text: string): {kind: 'text'; text: string} {
  return {kind: 'text', text};
}
