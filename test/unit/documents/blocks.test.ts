import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {findBlocks} from '../../../src/documents/blocks.ts';
import {bodyOf, contentOf, replaceBodies} from '../../../src/documents/layout.ts';

const value = '<!-- mixdown: value a.b -->1<!-- /mixdown -->';
const table = '<!-- mixdown: metrics a -->\n\nold\n\n<!-- /mixdown -->';

/** Kind, line of the start and, of a block with lines of its own, the prefix. */
function found(text: string): readonly string[] {
  const {blocks, faults} = findBlocks(text);
  return [
    ...blocks.map(({directive, start, prefix}) => {
      const line = text.slice(0, start).split('\n').length;
      return `${line} ${directive.kind}${prefix === undefined ? '' : ` ${JSON.stringify(prefix)}`}`;
    }),
    ...faults.map(({message, start, end}) => `${message}: ${text.slice(start, end)}`),
  ];
}

/** Renders every block with the same content. */
function render(text: string, content: string): string {
  const {blocks} = findBlocks(text);
  return replaceBodies(text, new Map(blocks.map((block) => [block, bodyOf(text, block, content)])));
}

describe('blocks are found', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['on lines of their own', `a\n\n${table}\n`, ['3 metrics ""']],
    ['at the very start and end', table, ['1 metrics ""']],
    ['within a line', `It is ${value}, or ${value}.`, ['1 value', '1 value']],
    ['within a cell of a table', `| a | b |\n| - | - |\n| x | ${value} |\n`, ['3 value']],
    ['on one line, to be filled', '<!-- mixdown: metrics --><!-- /mixdown -->\n', ['1 metrics ""']],
    [
      'with line breaks in the directive',
      `<!-- mixdown: metrics a\n  --metric b\n-->\n<!-- /mixdown -->`,
      ['1 metrics ""'],
    ],
    ['in an item of a list', `- a\n\n  ${table.replaceAll('\n', '\n  ')}\n`, ['3 metrics "  "']],
    ['deep in lists', `1. a\n   - b\n\n     ${table.replaceAll('\n', '\n     ')}\n`, ['4 metrics "     "']],
    ['in a quote', `> a\n>\n> ${table.replaceAll('\n', '\n> ')}\n`, ['3 metrics "> "']],
    ['behind code that ended', `\`\`\`md\n${table}\n\`\`\`\n${table}`, ['8 metrics ""']],
    ['behind a fence that its item of a list ends', `- \`\`\`\n  x\n\n${table}`, ['4 metrics ""']],
    ['behind a fence that its quote ends', `> \`\`\`\n${table}`, ['2 metrics ""']],
    ['with carriage returns', `a\r\n\r\n${table.replaceAll('\n', '\r\n')}\r\n`, ['3 metrics ""']],
    ['behind a backtick without a partner', `a \` b\n\nc ${value}`, ['3 value']],
    ['in a row below one with an odd backtick', `| \` |\n| ${value} \` |\n`, ['2 value']],
    ['behind `<!--` within a paragraph', `a <!-- b\n\nc ${value}`, ['3 value']],
    ['in a continued paragraph', `a\n      b ${value}\n`, ['2 value']],
    ['an image within a line', 'See <!-- mixdown: figure a.b c.svg --><!-- /mixdown -->.', ['1 figure']],
    ['an image on lines of its own', '<!-- mixdown: figure a.b c.svg -->\n<!-- /mixdown -->', ['1 figure ""']],
    ['an image alone on one line', '<!-- mixdown: figure a.b c.svg --><!-- /mixdown -->', ['1 figure ""']],
  ];
  test.each(cases)('%s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
  });
});

describe('code and comments hold no blocks', () => {
  test.each([
    ['a fence', `\`\`\`md\n${table}\n\`\`\`\n`],
    ['a fence with tildes', `~~~\n${table}\n\`\`\`\n${table}`],
    ['a longer fence', `\`\`\`\`\n\`\`\`\n${table}\n\`\`\`\`\n`],
    ['a fence in a list', `- a\n\n  \`\`\`\n  ${table.replaceAll('\n', '\n  ')}\n  \`\`\`\n`],
    ['a fence in a quote', `> \`\`\`\n> ${table.replaceAll('\n', '\n> ')}\n> \`\`\`\n`],
    ['a fence that is never closed', `\`\`\`\n${table}`],
    ['indented code', `a\n\n    ${value}\n\n\t${value}\n`],
    ['indented code of a list', `- a\n\n      ${value}\n`],
    ['code within a line', `Write \`${value}\`, or \`\`a \` ${value}\`\`.`],
    ['code over two lines', `Write \`a\n${value.slice(5)} ${value}\` so.`],
    ['an escape', `Write \\${value.replace('<!-- /', '\\<!-- /')}.`],
    ['another comment', `<!-- later: ${value.replaceAll('-->', '')} -->`],
    ['a comment over lines', `<!--\nlater:\n\n<!-- mixdown: metrics\n-->\n`],
    ['other words', '<!-- mixdown is a tool -->'],
  ])('%s', (_, text) => {
    expect(found(text)).toEqual([]);
    expect(render(text, 'new')).toBe(text);
  });
});

test('what is wrong is said with its place', () => {
  const cases = [
    '<!-- mixdown: metrics -->\ntext',
    `<!-- mixdown: metrics -->\n${table}`,
    'text <!-- /mixdown -->',
    '<!-- mixdown metrics a --><!-- /mixdown -->',
    '<!-- mixdown: -->\n<!-- /mixdown -->',
    '<!-- mixdown: metric a -->\n<!-- /mixdown -->',
    '<!-- mixdown: metrics a --metrik b --sort -->\n<!-- /mixdown -->',
    "<!-- mixdown: metrics 'a -->\n<!-- /mixdown -->",
    '<!-- mixdown: metrics --digits many --mean=1 -->\n<!-- /mixdown -->',
    '<!-- mixdown: value a.b of=median digits=2 --digits=3 --><!-- /mixdown -->',
    '<!-- mixdown: value a --><!-- /mixdown -->',
    '<!-- mixdown: value a.b -->\n<!-- /mixdown -->',
    '<!-- mixdown: value --><!-- /mixdown -->',
    '<!-- mixdown: file a.b c -->\n<!-- /mixdown -->',
    'a <!-- mixdown: file a.b --><!-- /mixdown -->',
    '<!-- mixdown: figure a.b -->\n<!-- /mixdown -->',
  ];
  expect(
    cases
      .map(
        (text) =>
          `\n${findBlocks(text)
            .faults.map(
              ({message, hint, start, end}) =>
                `${message}: ${text.slice(start, end)}${hint === undefined ? '' : `\n  ${hint}`}`,
            )
            .join('\n')}`,
      )
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "
    the block is not closed: <!-- mixdown: metrics -->
      write \`<!-- /mixdown -->\` behind it

    the block is not closed before the next one begins: <!-- mixdown: metrics -->
      write \`<!-- /mixdown -->\` behind it

    there is no block that ends here: <!-- /mixdown -->

    a colon stands behind \`mixdown\`: <!-- mixdown metrics a -->
      write \`<!-- mixdown: metrics … -->\`
    there is no block that ends here: <!-- /mixdown -->

    the block does not say what it holds:  
      one of: metrics, value, file, figure

    there is no kind of block \`metric\`: metric
      did you mean \`metrics\`?

    there is no option \`--metrik\` here: --metrik
      did you mean \`--metric\`?
    \`--sort\` has no value: --sort

    the quote ' is not closed: 'a 

    \`--digits\` takes a whole number, 0 ... 20, not \`many\`: --digits
    \`--mean\` takes no value: --mean=1

    \`--of\` takes mean, sd, min, max, count, not \`median\`: of=median
    \`--digits\` is given twice: --digits=3

    \`a\` names no metric of a node: a
      write \`value NODE.METRIC of=mean digits=N, or value NODE.params.NAME\`

    \`value\` and its end stand on one line: <!-- mixdown: value a.b -->

    \`value\` does not say of what: value
      write \`value NODE.METRIC of=mean digits=N, or value NODE.params.NAME\`

    \`c\` is too much here: c
      write \`file NODE.OUTPUT\`

    \`file\` has its lines to itself: <!-- mixdown: file a.b -->
      put \`<!-- mixdown: … -->\` and \`<!-- /mixdown -->\` on lines of their own

    \`figure\` does not say where the image goes: figure
      write \`figure NODE.OUTPUT PATH --alt TEXT\`"
  `);
});

test('what Markdown readers will not show as it is meant is remarked', () => {
  const remarked = (text: string): readonly string[] => findBlocks(text).remarks.map(({message}) => message);
  const first = 'a comment that begins a line ends the paragraph, and the rest of the line is no Markdown';
  const dashes = 'GitHub shows a comment within a line as text when `--` stands in it';
  const cell = 'a `|` ends the cell of a table, also within a comment';
  expect(remarked(`a ${value}`)).toEqual([]);
  expect(remarked(`| ${value} |`)).toEqual([]);
  expect(remarked(table.replace('metrics a', 'metrics a --mean --pivot x'))).toEqual([]);
  expect(remarked(`a\n${value} b`)).toEqual([first]);
  expect(remarked(`- ${value} b`)).toEqual([first]);
  expect(remarked(`a ${value.replace('a.b', 'a.b --digits 2')}`)).toEqual([dashes]);
  expect(remarked(`| ${value.replace('a.b', 'a[x=1|2].b')} |`)).toEqual([cell]);
  const escaped = `| ${value.replace('a.b', String.raw`a[x=1\|2].b`)} |`;
  expect(remarked(escaped)).toEqual([]);
  expect(findBlocks(escaped).blocks[0]?.directive).toMatchObject({node: 'a[x=1|2]', name: 'b'});
});

describe('rendering', () => {
  test('fills lines, keeps line breaks, indentation and everything else', () => {
    expect(render(`a\n${table}\nb`, 'x\n\ny\n')).toBe(
      'a\n<!-- mixdown: metrics a -->\n\nx\n\ny\n\n<!-- /mixdown -->\nb',
    );
    expect(render(`- a\r\n\r\n  ${table.replaceAll('\n', '\r\n  ')}`, 'x\n\ny')).toBe(
      '- a\r\n\r\n  <!-- mixdown: metrics a -->\r\n\r\n  x\r\n\r\n  y\r\n\r\n  <!-- /mixdown -->',
    );
    expect(render('> <!-- mixdown: metrics --><!-- /mixdown -->', 'x')).toBe(
      '> <!-- mixdown: metrics -->\n>\n> x\n>\n> <!-- /mixdown -->',
    );
    expect(render(`a ${value} b ${value}`, '2.5')).toBe(`a ${value} b ${value}`.replaceAll('>1<', '>2.5<'));
    expect(render(table, '')).toBe('<!-- mixdown: metrics a -->\n<!-- /mixdown -->');
  });

  const piece = fc.oneof(
    fc.constantFrom(
      table,
      value,
      `\n\n${table}\n\n`,
      `\n\n${table.replaceAll('\n', '\r\n')}\r\n`,
      `\n- x\n\n  ${table.replaceAll('\n', '\n  ')}\n`,
      '<!-- mixdown: metrics a -->',
      '<!-- /mixdown -->',
      '<!--',
      '-->',
      '\n```\n',
      '\n    ',
      '`',
      '``',
      '\n',
      '\r\n',
      '> ',
      '- ',
      '\\',
      '\t',
      '| a |',
    ),
    fc.string({unit: 'binary', maxLength: 6}),
  );
  const document = fc.array(piece, {maxLength: 12}).map((pieces) => pieces.join(''));
  const line = fc.string().filter((text) => !/[\r\n]|<!--/.test(text));
  const content = fc.array(line, {maxLength: 4}).map((lines) => lines.join('\n'));

  test('is idempotent, and what stands outside of the bodies stays', () => {
    fc.assert(
      fc.property(document, content, (text, lines) => {
        const {blocks} = findBlocks(text);
        const inner = (lines.split('\n')[0] ?? '').replaceAll('`', '');
        const contents = blocks.map((block) => (block.prefix === undefined ? inner : lines));
        const bodies = new Map(blocks.map((block, index) => [block, bodyOf(text, block, contents[index] ?? '')]));
        const rendered = replaceBodies(text, bodies);
        const again = findBlocks(rendered);
        expect(again.blocks.map(({source}) => source)).toEqual(blocks.map(({source}) => source));
        expect(again.blocks.map((block) => contentOf(rendered, block))).toEqual(
          contents.map((each) => each.replace(/\n$/, '')),
        );
        expect(outside(rendered, again.blocks)).toEqual(outside(text, blocks));
        const twice = again.blocks.map(
          (block, index) => [block, bodyOf(rendered, block, contents[index] ?? '')] as const,
        );
        expect(replaceBodies(rendered, new Map(twice))).toBe(rendered);
      }),
      {numRuns: 2000},
    );
  });

  function outside(text: string, blocks: ReturnType<typeof findBlocks>['blocks']): readonly string[] {
    const ends = [0, ...blocks.map(({body}) => body.end)];
    return ends.map((from, index) => text.slice(from, blocks[index]?.body.start));
  }
});
