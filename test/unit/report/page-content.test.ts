import {describe, expect, test} from 'vitest';
import {pageContent, type FileBytes} from '../../../src/report/page-content.ts';
import {cleanSvg} from '../../../src/report/page-svg.ts';

function file(content: string | Uint8Array): FileBytes {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {size: bytes.length, read: () => bytes, head: (most) => bytes.subarray(0, most)};
}

const gone: FileBytes = {size: 9, read: () => undefined, head: () => undefined};
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10, 0, 0, 0, 0]);

function svgOf(content: unknown): string {
  const {src} = content as {src: string};
  return Buffer.from(src.replace('data:image/svg+xml;base64,', ''), 'base64').toString();
}

describe('what a file shows on a page', () => {
  test('is told by its name', () => {
    expect(pageContent('a.md', file('# x'), '')).toEqual({kind: 'markdown', text: '# x'});
    expect(pageContent('A.CSV', file('a\n1\n'), '')).toMatchObject({kind: 'table'});
    expect(pageContent('a.json', file('{}'), '')).toEqual({kind: 'text', text: '{}', more: 0});
    expect(pageContent('a.npy', file('x'), '')).toBeUndefined();
    expect(pageContent('constructor', file('x'), '')).toBeUndefined();
    expect(pageContent('a.constructor', file('x'), '')).toBeUndefined();
  });

  test.each(['a.md', 'a.csv', 'a.svg', 'a.png', 'a.txt'])('says that the bytes of %s are gone', (name) => {
    expect(pageContent(name, gone, '')).toMatchObject({kind: 'text', text: expect.stringContaining('no longer')});
  });

  test('a long text is cut between characters and says by how much', () => {
    const text = `x${'ä'.repeat(150_000)}`;
    const cut = pageContent('a.txt', file(text), '') as {text: string; more: number};
    expect(cut.text).toBe(`x${'ä'.repeat(99_999)}`);
    expect(cut.more).toBe(100_001);
    expect(pageContent('a.md', file(text), '')).toMatchObject({
      text: expect.stringMatching(/97.7 KiB more are left out/),
    });
  });

  test('an image is one by its content, with its own description as text', () => {
    expect(pageContent('a.png', file(png), 'scores')).toEqual({
      kind: 'image',
      src: `data:image/png;base64,${Buffer.from(png).toString('base64')}`,
      alt: 'scores',
    });
    expect(pageContent('a.png', file('<svg></svg>'), '')).toMatchObject({kind: 'text'});
    expect(pageContent('a.svg', file('no svg'), '')).toMatchObject({kind: 'text'});
    expect(pageContent('a.png', {...file(png), size: 2_000_000}, '')).toMatchObject({
      text: 'It is too large for this page: 1.9 MiB.',
    });
    const drawing = pageContent('a.svg', file('<svg><title>A &lt; B</title></svg>'), 'scores');
    expect(drawing).toMatchObject({kind: 'image', alt: 'A < B'});
    expect(svgOf(drawing)).toBe('<svg><title>A &lt; B</title></svg>');
  });
});

describe('cleanSvg', () => {
  test('leaves a drawing as it is, but for its prologue and sections', () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>.a{fill:url(#g)}</style>' +
      '<defs><linearGradient id="g"/></defs><use href="#g"/><text class="a">once = 1, on average</text></svg>';
    expect(
      cleanSvg(
        `<?xml version="1.0"?>\n<!-- made by x -->${svg.replace('.a{fill:url(#g)}', '<![CDATA[.a{fill:url(#g)}]]>')}\n`,
      ),
    ).toBe(svg);
  });

  test.each([
    '<script>alert(1)</script>',
    '<script href="https://x.test/a.js"/>',
    '<svg:script>alert(1)</svg:script>',
    '<rect onload="alert(1)"/>',
    '<rect fill="red" OnClick=\'alert(1)\'/>',
    '<image href="https://x.test/a.png"/>',
    '<image xlink:href="//x.test/a.png"/>',
    '<use href="https://x.test/a.svg#b"/>',
    '<a href="javascript:alert(1)"><rect/></a>',
    '<foreignObject><img src="https://x.test/a.png"/></foreignObject>',
    '<style>@import "https://x.test/a.css"; .a{fill:url(https://x.test/b)}</style>',
    '<rect style="fill:url(\'https://x.test/b\')"/>',
    '<image href="data:text/html,<script>alert(1)</script>"/>',
  ])('removes %s', (part) => {
    const clean = cleanSvg(`<svg><g id="kept"/>${part}</svg>`);
    expect(clean).toContain('<g id="kept"/>');
    expect(clean).not.toMatch(/alert|x\.test/);
  });

  test.each([
    '<svg><!ENTITY x "y"></svg>',
    '<svg><rect onload=alert(1) /></svg>',
    '<svg><image href=https://x.test/a.png /></svg>',
    '<svg><scr<script></script>ipt>alert(1)</script></svg>',
    '<svg><script>alert(1)</svg>',
    '<html><svg></svg></html>',
    '<svg></svg><script>alert(1)</script>',
    '',
  ])('refuses %s, or leaves nothing of it that could run', (svg) => {
    expect(cleanSvg(svg) ?? '').not.toMatch(/alert|x\.test|ENTITY|html/);
  });

  // Each of these would take minutes where an opening is looked for again from every other one.
  test.each(['<script ', '<![CDATA[', '<!--', '<?', '<!x', 'url(', '@import ', ' href="', ' onload="'])(
    'is quick on many %s',
    (part) => {
      expect(cleanSvg(`<svg>${part.repeat(900_000 / part.length)}</svg>`) ?? '').not.toContain(part);
    },
  );
});
