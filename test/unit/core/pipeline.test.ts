import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {nodeId, scalarText} from '../../../src/core/pipeline.ts';
import {parseReference} from '../../../src/core/reference.ts';

const text = fc.oneof(
  fc.constantFrom('', 'h1+h2', 'a,b', 'a]', 'a=b', '"', '*', ' a', 'a ', 'a\nb', '\\', '\\"', 'true', '1', '😀'),
  fc.string({unit: 'binary', maxLength: 6}),
);
const axis = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,5}$/);
const value = fc.oneof(text, fc.integer(), fc.double({noNaN: true, noDefaultInfinity: true}), fc.boolean());

describe('nodeId', () => {
  it.each([
    [{}, 'train'],
    [{fold: 2, levels: 'h1+h3'}, 'train[fold=2,levels=h1+h3]'],
    [{b: true, a: 0.5}, 'train[b=true,a=0.5]'],
    [{a: 'x,y', b: '', c: '*', d: 'a b', e: '"'}, 'train[a="x,y",b="",c="*",d="a b",e="\\""]'],
  ])('of %o is %s', (variant, id) => {
    expect(nodeId('train', variant)).toBe(id);
  });

  it('reads back as a reference to that very variant', () => {
    const variants = fc
      .uniqueArray(fc.tuple(axis, value), {selector: ([name]) => name, minLength: 1, maxLength: 3})
      .map((axes) => Object.fromEntries(axes));
    fc.assert(
      fc.property(variants, (variant) => {
        const parsed = parseReference(nodeId('train', variant));
        if (!parsed.ok) throw new Error(parsed.error.message);
        const {name, selector} = parsed.value;
        expect(name).toBe('train');
        const axes = selector?.all === false ? selector.axes : [];
        expect(axes.map((each) => [each.axis, each.choices?.map(({text}) => text)])).toEqual(
          Object.entries(variant).map(([each, scalar]) => [each, [scalarText(scalar)]]),
        );
      }),
      {numRuns: 2000},
    );
  });
});

describe('scalarText', () => {
  it('differs for different texts', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(scalarText(a) === scalarText(b)).toBe(a === b);
      }),
      {numRuns: 1000},
    );
  });
});
