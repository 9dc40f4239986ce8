import {isDeepStrictEqual} from 'node:util';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {byCodeUnit, canonicalJson, isArray, isObject, type Json} from '../../../src/core/json.ts';

/** Few enough values that two draws are often equal; keys that objects inherit, or that sort unlike a locale would. */
const key = fc.constantFrom('a', 'b', 'B', 'ä', '__proto__', 'constructor', '10', '9', '', '"', '😀', '\uff5e');
const {value} = fc.letrec<{value: Json}>((tie) => ({
  value: fc.oneof(
    {maxDepth: 3, withCrossShrink: true},
    fc.constantFrom<Json>(null, true, false, 0, 1, -1.5, 1e21, 5e-324, '', '0', 'null', 'a"b', '\u2028', '😀'),
    fc.array(tie('value'), {maxLength: 3}),
    fc.dictionary(key, tie('value'), {maxKeys: 3, noNullPrototype: true}),
  ),
}));

describe('canonicalJson', () => {
  it('gives equal text exactly for equal values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(a, b));
      }),
      {numRuns: 1000},
    );
  });

  it('is JSON that reads back as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({stringUnit: 'binary'}), (any) => {
        const json = JSON.parse(JSON.stringify(any)) as Json;
        expect(isDeepStrictEqual(JSON.parse(canonicalJson(json)), json)).toBe(true);
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(value, (a) => {
        expect(canonicalJson(reversed(a))).toBe(canonicalJson(a));
      }),
    );
  });

  it('sorts keys by UTF-16 code unit at every depth and leaves no white space', () => {
    const text = canonicalJson({b: [{z: 1, a: 2}], a: null, Z: 'x y', 10: 1, 9: 1});
    expect(text).toBe('{"10":1,"9":1,"Z":"x y","a":null,"b":[{"a":2,"z":1}]}');
  });

  it('leaves undefined members out and writes them as null in lists', () => {
    expect(canonicalJson({a: undefined, b: {c: undefined}})).toBe('{"b":{}}');
    expect(canonicalJson([undefined, 1] as unknown as Json)).toBe('[null,1]');
  });

  it('writes -0 as 0 and escapes lone surrogates', () => {
    expect(canonicalJson([-0, 0])).toBe('[0,0]');
    expect(canonicalJson('\ud800')).toBe(String.raw`"\ud800"`);
  });

  it.each([NaN, Infinity, -Infinity])('rejects %s at any depth', (number) => {
    expect(() => canonicalJson(number)).toThrow(TypeError);
    expect(() => canonicalJson({a: [{b: number}]})).toThrow(TypeError);
  });

  it.each([undefined, 1n, Symbol('a'), () => 1])('rejects %s', (notJson) => {
    expect(() => canonicalJson(notJson as unknown as Json)).toThrow(TypeError);
  });
});

describe('helpers', () => {
  it('tells lists, objects and the rest apart', () => {
    const values: readonly Json[] = [[], {}, null, 'a', 1, true];
    expect(values.map(isArray)).toEqual([true, false, false, false, false, false]);
    expect(values.map(isObject)).toEqual([false, true, false, false, false, false]);
  });

  it('orders by code unit, not by locale', () => {
    expect(['ä', 'b', 'a', 'B', 'a'].sort(byCodeUnit)).toEqual(['B', 'a', 'a', 'b', 'ä']);
  });
});

function reversed(json: Json): Json {
  if (isArray(json)) return json.map(reversed);
  if (!isObject(json)) return json;
  const entries = Object.entries(json).map(([name, member]) => [name, reversed(member ?? null)] as const);
  return Object.fromEntries(entries.reverse());
}
