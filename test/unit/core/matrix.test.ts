import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Scalar} from '../../../src/core/json.ts';
import {axisValues, expandMatrix, variantLimit, type MatrixSpec, type Variant} from '../../../src/core/matrix.ts';
import {nodeId, scalarText} from '../../../src/core/pipeline.ts';
import {VariantIndex} from '../../../src/core/variant-index.ts';

const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.integer({min: 0, max: 9}),
  fc.constantFrom('a', 'b,c', 'd=e', '', '*', 'f g', ']'),
  fc.boolean(),
);
const axes = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('x', 'y', 'z', 'w'),
    values: fc.uniqueArray(scalar, {minLength: 1, maxLength: 4, selector: scalarText}),
  }),
  {minLength: 1, maxLength: 3, selector: (axis) => axis.name},
);
/** Mappings over a random part of the axes, with values that mostly occur. */
function mappings(spec: readonly {name: string; values: readonly Scalar[]}[]): fc.Arbitrary<Variant[]> {
  const entry = spec.map(({name, values}) => fc.tuple(fc.constant(name), fc.oneof(fc.constantFrom(...values), scalar)));
  const member = fc
    .subarray(entry, {minLength: 1})
    .chain((some) => fc.tuple(...some))
    .map((pairs) => Object.fromEntries(pairs));
  return fc.array(member, {maxLength: 3});
}
const specs = axes.chain((list) =>
  fc.record({axes: fc.constant(list), include: fc.constant([]), exclude: mappings(list), when: fc.constant([])}),
);

const same = (a: Scalar | undefined, b: Scalar | undefined) =>
  a !== undefined && b !== undefined && scalarText(a) === scalarText(b);
const matches = (variant: Variant, partial: Variant) =>
  Object.entries(partial).every(([axis, value]) => same(variant[axis], value));

/** The plain recursive product. */
function naive([first, ...rest]: MatrixSpec['axes']): Variant[] {
  if (!first) return [{}];
  return first.values.flatMap((value) => naive(rest).map((variant) => ({[first.name]: value, ...variant})));
}

describe('expandMatrix', () => {
  test('is the row-major product without what is excluded', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const wanted = naive(spec.axes).filter((variant) => !spec.exclude.some((member) => matches(variant, member)));
        const {variants, problems} = expandMatrix(spec);
        expect(variants).toEqual(wanted);
        expect(problems.map(({code}) => code)).toEqual(wanted.length === 0 ? ['empty-matrix'] : []);
      }),
    );
  });

  test('gives every variant its own node id, and keeps the order of the axes in it', () => {
    fc.assert(
      fc.property(axes, (list) => {
        const {variants} = expandMatrix({axes: list, include: [], exclude: [], when: []});
        expect(new Set(variants.map((variant) => nodeId('n', variant))).size).toBe(variants.length);
        for (const variant of variants) expect(Object.keys(variant)).toEqual(list.map(({name}) => name));
      }),
    );
  });

  test('with `when`, keeps what at least one condition matches', () => {
    fc.assert(
      fc.property(
        axes.chain((list) => fc.tuple(fc.constant(list), mappings(list))),
        ([list, conditions]) => {
          const when = conditions.map((member) =>
            Object.fromEntries(Object.entries(member).map(([axis, value]) => [axis, [value]])),
          );
          const wanted = naive(list).filter(
            (variant) => when.length === 0 || conditions.some((member) => matches(variant, member)),
          );
          expect(expandMatrix({axes: list, include: [], exclude: [], when}).variants).toEqual(wanted);
        },
      ),
    );
  });

  test('adds included variants last, whatever `exclude` and `when` say', () => {
    const {variants, problems} = expandMatrix({
      axes: [
        {name: 'x', values: [1, 2]},
        {name: 'y', values: ['a']},
      ],
      include: [
        {y: 'b', x: 1},
        {x: 1, y: 'a'},
      ],
      exclude: [{x: 1}],
      when: [{y: ['a']}],
    });
    expect(problems).toEqual([]);
    expect(variants).toEqual([
      {x: 2, y: 'a'},
      {x: 1, y: 'b'},
      {x: 1, y: 'a'},
    ]);
    expect(Object.keys(variants[1] ?? {})).toEqual(['x', 'y']);
  });

  test('takes its axes from the first included variant when there are none', () => {
    const {axes: names, variants} = expandMatrix({
      axes: [],
      include: [
        {x: 1, y: 2},
        {y: 3, x: 1},
      ],
      exclude: [],
      when: [],
    });
    expect(names).toEqual(['x', 'y']);
    expect(variants).toEqual([
      {x: 1, y: 2},
      {x: 1, y: 3},
    ]);
  });

  test('without axes is one variant', () => {
    expect(expandMatrix({axes: [], include: [], exclude: [], when: []}).variants).toEqual([{}]);
  });

  test('stops before a product that would not fit', () => {
    const values = Array.from({length: 1001}, (_, value) => value);
    const {variants, problems} = expandMatrix({
      axes: [
        {name: 'x', values},
        {name: 'y', values},
      ],
      include: [],
      exclude: [],
      when: [],
    });
    expect(variants).toEqual([]);
    expect(problems).toEqual([
      {code: 'too-large', message: `the matrix has 1002001 variants; the limit is ${variantLimit}`, path: []},
    ]);
  });

  test('reports values and variants that occur twice, by their text', () => {
    const spec: MatrixSpec = {axes: [{name: 'x', values: [1, '1', true]}], include: [], exclude: [], when: []};
    expect(expandMatrix(spec).problems).toEqual([
      {code: 'duplicate-variant', message: 'axis `x` has the value `1` twice', path: ['x', 1]},
    ]);
    const included = {...spec, axes: [{name: 'x', values: [1]}], include: [{x: '1'}, {x: 2}, {x: 2}]};
    expect(expandMatrix(included).problems.map(({path}) => path)).toEqual([
      ['include', 0],
      ['include', 2],
    ]);
  });
});

test('axisValues lists what occurs, in the order of its first occurrence', () => {
  const variants = [
    {x: 2, y: 'b'},
    {x: 1, y: 'b'},
    {x: 2, y: 'a'},
  ];
  expect(axisValues(['x', 'y'], variants)).toEqual({x: [2, 1], y: ['b', 'a']});
});

test('VariantIndex finds what a scan finds, in matrix order', () => {
  fc.assert(
    fc.property(
      specs.chain((spec) => fc.tuple(fc.constant(spec), mappings(spec.axes))),
      ([spec, questions]) => {
        const {axes: names, variants} = expandMatrix(spec);
        const index = new VariantIndex(names, variants);
        for (const question of [{}, ...questions]) {
          const fixed = new Map(Object.entries(question).map(([axis, value]) => [axis, scalarText(value)]));
          const wanted = variants.flatMap((variant, position) => (matches(variant, question) ? [position] : []));
          expect(index.select(fixed)).toEqual(wanted);
        }
      },
    ),
  );
});
