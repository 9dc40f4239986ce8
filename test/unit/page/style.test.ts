import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';

const style = readFileSync('src/page/styles/tokens.css', 'utf8');

/** WCAG 2.2: 4.5 for text; 3 for what only has to be seen, such as a line or the edge of a control. */
const pairs: readonly (readonly [front: string, back: string, least: number])[] = [
  ...['--bg', '--surface', '--sunken', '--accent-soft', '--failed-soft'].map((back) => ['--text', back, 4.5] as const),
  ...['--bg', '--surface', '--sunken', '--accent-soft'].map((back) => ['--quiet', back, 4.5] as const),
  ...['--bg', '--surface', '--sunken', '--accent-soft'].map((back) => ['--accent', back, 4.5] as const),
  ['--on-accent', '--accent', 4.5],
  ...['failed', 'blocked', 'executed', 'cached', 'done'].flatMap((name) => [
    [`--${name}`, `--${name}-soft`, 4.5] as const,
    [`--${name}`, '--surface', 4.5] as const,
    [`--${name}`, '--bg', 3] as const,
  ]),
  ...[0, 1, 2, 3, 4, 5].map((line) => [`--curve-${line}`, '--surface', 3] as const),
  ['--quiet', '--heat-0', 4.5],
  ...[1, 2, 3].map((step) => ['--heat-text-low', `--heat-${step}`, 4.5] as const),
  ['--heat-text-middle', '--heat-4', 4.5],
  ...[5, 6, 7].map((step) => ['--heat-text-high', `--heat-${step}`, 4.5] as const),
  ...['--bg', '--surface', '--sunken'].map((back) => ['--edge', back, 3] as const),
];

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it.each(pairs)('shows %s on %s at %d or more', (front, back, least) => {
    expect(contrast(colour(front, theme), colour(back, theme))).toBeGreaterThanOrEqual(least);
  });
});

it('keeps every colour among the tokens', () => {
  const names = ['base', 'frame', 'controls', 'tables', 'results', 'graph', 'timeline', 'details', 'print'];
  const literal = names.flatMap((name) => {
    const text = readFileSync(`src/page/styles/${name}.css`, 'utf8');
    return [...text.matchAll(/#[\da-f]{3,8}\b/gi)].map(([match]) => `${name}: ${match}`);
  });
  expect(literal).toEqual(['results: #ffffff']);
});

it('has each token that the styles use', () => {
  const used = ['base', 'frame', 'controls', 'tables', 'results', 'graph', 'timeline', 'details'].flatMap((name) =>
    [...readFileSync(`src/page/styles/${name}.css`, 'utf8').matchAll(/var\((--[\w-]+)/g)].map(([, token]) => token),
  );
  expect(used.filter((token) => !style.includes(`${token}:`))).toEqual([]);
});

function colour(token: string, theme: 'light' | 'dark'): string {
  const match = new RegExp(`${token}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(style);
  const found = match?.[theme === 'light' ? 1 : 2];
  if (found === undefined) throw new Error(`no colour ${token}`);
  return found;
}

/** The ratio of WCAG 2.2, 1 to 21. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
