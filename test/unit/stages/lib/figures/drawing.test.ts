import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {makeLegend} from '../../../../../stages/lib/figures/legend.ts';
import {encodeSvg} from '../../../../../stages/lib/figures/picture.ts';
import {makeScale, spanOf} from '../../../../../stages/lib/figures/scale.ts';
import {decimal, element, label} from '../../../../../stages/lib/figures/svg.ts';
import {shorten, textWidth} from '../../../../../stages/lib/figures/text-width.ts';
import {DARK, LIGHT, seriesClass, styleSheet} from '../../../../../stages/lib/figures/theme.ts';
import {elementsOf, parseSvg} from '../../../../support/svg.ts';

describe('a scale', () => {
  const texts = (low: number, high: number, most: number, options = {}) =>
    makeScale({low, high}, [0, 100], most, options).ticks.map(({text}) => text);

  test.each([
    [0, 1, 5, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [0.13, 0.47, 5, ['0.1', '0.2', '0.3', '0.4', '0.5']],
    [-3, 4, 5, ['-4', '-2', '0', '2', '4']],
    [0, 24_000, 5, ['0', '5k', '10k', '15k', '20k', '25k']],
    [0, 3_000_000, 3, ['0', '1M', '2M', '3M']],
    [1e-9, 3e-9, 3, ['1e-9', '2e-9', '3e-9']],
  ])('from %d to %d', (low, high, most, expected) => {
    expect(texts(low, high, most)).toEqual(expected);
  });

  test('of one value has room on both sides', () => {
    expect(texts(0, 0, 4)).toEqual(['-1.0', '-0.5', '0', '0.5', '1.0']);
    expect(texts(1, 1, 4, {whole: true})).toEqual(['0', '1', '2']);
  });

  test('counts in whole numbers, between the ends', () => {
    expect(texts(1, 3, 10, {whole: true, nice: false})).toEqual(['1', '2', '3']);
    expect(texts(1, 45, 10, {whole: true, nice: false})).toEqual(['5', '10', '15', '20', '25', '30', '35', '40', '45']);
  });

  test('of any span holds it, with few ticks that differ', () => {
    const value = fc.double({min: -1e12, max: 1e12, noNaN: true});
    fc.assert(
      fc.property(value, value, fc.integer({min: 2, max: 12}), (a, b, most) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        // Closer than this, neighbouring ticks are one number; and of the very smallest there is none between two.
        fc.pre(high > low || low === 0 || Math.abs(low) > 1e-200);
        fc.pre(high === low || high - low > 1e-6 * Math.max(Math.abs(low), Math.abs(high), 1e-200));
        const {ticks, at} = makeScale({low, high}, [0, 100], most);
        expect(at(low)).toBeGreaterThan(-1e-4);
        expect(at(high)).toBeLessThan(100 + 1e-4);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThanOrEqual(most + 2);
        expect(new Set(ticks.map((tick) => tick.value)).size).toBe(ticks.length);
      }),
    );
  });

  test('has no span without values', () => {
    expect(spanOf([])).toBeUndefined();
    expect(spanOf([2, -1, 5])).toEqual({low: -1, high: 5});
  });
});

describe('markup', () => {
  test('a coordinate has two decimals at most and is finite', () => {
    expect([0.1 + 0.2, -0.001, 12, 1.005].map(decimal)).toEqual(['0.3', '0', '12', '1']);
    expect(() => element('rect', {x: Number.NaN})).toThrow('NaN is no coordinate');
    expect(() => label(0, Infinity, 'a')).toThrow('Infinity is no coordinate');
  });

  test('any text comes back as it was, but for what XML does not have', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (text) => {
        const parsed = parseSvg(element('a', {b: text}, [label(0, 0, text)]));
        const expected = text.replaceAll(/[\0-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu, '\uFFFD');
        expect(parsed.attributes['b']).toBe(expected);
        expect(parsed.children[0]?.text).toBe(expected);
      }),
    );
    expect(label(1, 2, '\uD800&<">')).toBe('<text x="1" y="2">\uFFFD&amp;&lt;&quot;&gt;</text>');
  });

  test('a picture tells what it shows, and carries both its themes', () => {
    const svg = encodeSvg({width: 90, height: 50, title: 'A & B '.repeat(9), description: 'c < d', content: []});
    const root = parseSvg(svg);
    expect(root.attributes).toMatchObject({role: 'img', width: '90', viewBox: '0 0 90 50'});
    expect(root.children.slice(0, 2).map(({name, text}) => [name, text])).toEqual([
      ['title', 'A & B '.repeat(9)],
      ['desc', 'c < d'],
    ]);
    expect(elementsOf(root, 'text')[0]?.text).toMatch(/^A.*…$/);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).not.toMatch(/url\(|@import|@font-face|href/);
  });
});

describe('room for text', () => {
  test('is more for wide letters, and none for marks', () => {
    expect(textWidth('WWW')).toBeGreaterThan(textWidth('iii'));
    expect(textWidth('e\u0301')).toBe(textWidth('e'));
    expect(textWidth('犬')).toBeGreaterThan(12);
    expect(textWidth('')).toBe(0);
  });

  test('a text that is shortened fits and keeps its characters whole', () => {
    expect(shorten('Bark', 100)).toBe('Bark');
    fc.assert(
      fc.property(fc.string({unit: 'grapheme'}), fc.integer({min: 20, max: 200}), (text, most) => {
        const short = shorten(text, most);
        expect(textWidth(short)).toBeLessThanOrEqual(most);
        expect(short).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });
});

describe('a legend', () => {
  test('has a row as wide as it may be, and none for one series', () => {
    expect(makeLegend(['a'], 'line', 0, 0, 300)).toEqual({height: 0, content: []});
    const {height, content} = makeLegend(['a', 'b', 'c', 'a name of some length', 'e'], 'bar', 0, 0, 480);
    expect(height).toBe(68);
    const columns = content
      .flatMap((part) => elementsOf(parseSvg(part), 'text'))
      .map(({attributes}) => attributes['x']);
    expect(columns).toEqual([columns[0], columns[1], columns[0], columns[1], columns[0]]);
  });
});

describe('the colours', () => {
  test('stand out from the ground on both kinds of page', () => {
    for (const theme of [LIGHT, DARK]) {
      for (const colour of theme.series) expect(contrast(rgb(colour), rgb(theme.ground))).toBeGreaterThan(3);
      expect(contrast(rgb(theme.ink), rgb(theme.ground))).toBeGreaterThan(7);
      expect(contrast(rgb(theme.muted), rgb(theme.ground))).toBeGreaterThan(4.5);
      expect(new Set(theme.series).size).toBe(LIGHT.series.length);
    }
  });

  test('of the text on cells stand out from any cell', () => {
    for (const theme of [LIGHT, DARK]) {
      for (let opacity = 0.1; opacity <= 1; opacity += 0.01) {
        const mixed = rgb(theme.cell).map((c, i) => opacity * c + (1 - opacity) * (rgb(theme.ground)[i] ?? 0));
        const text = opacity >= 0.7 ? theme.onCell : theme.ink;
        expect(contrast(rgb(text), mixed)).toBeGreaterThan(3.5);
      }
    }
  });

  test('go on with broken lines', () => {
    const classes = Array.from({length: 24}, (_, i) => seriesClass(i));
    expect(new Set(classes).size).toBe(24);
    expect(classes.slice(7, 9)).toEqual(['s7', 's0 d1']);
    for (const name of classes.flatMap((own) => own.split(' '))) expect(styleSheet()).toContain(`.${name}{`);
  });
});

function rgb(colour: string): readonly number[] {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}

/** As WCAG 2 defines it. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const luminance = (colour: readonly number[]): number => {
    const [red = 0, green = 0, blue = 0] = colour.map((c) =>
      c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
