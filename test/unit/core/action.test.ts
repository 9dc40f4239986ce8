import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  fingerprintOf,
  isComplete,
  sliceAction,
  slicedPorts,
  sliceFingerprinter,
  type Action,
} from '../../../src/core/action.ts';
import {explainAction} from '../../../src/core/explain.ts';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {canonicalJson, type Json} from '../../../src/core/json.ts';

/** Names and texts that look like the parts of a canonical action. */
const nasty = fc.oneof(
  fc.constantFrom('', 'a', '"seed":0,"stage":', '"toolchain":', '\u0001item', '{"hash":"\\u0001item","size":0}', '\\"'),
  fc.constantFrom('constructor', '__proto__', 'seed', 'stage', 'toolchain', 'hash', 'inputs'),
  fc.string({unit: 'binary', maxLength: 8}),
);
const port = fc.constantFrom('clip', 'labels', 'constructor', '\u0001item');
const scalar = fc.oneof(nasty, fc.constantFrom(0, 1, true, null));
const param = fc.oneof(
  scalar,
  fc.constant({seed: 0, stage: 'a', toolchain: {}}),
  fc.array(scalar, {maxLength: 2}),
  fc.dictionary(nasty, scalar, {maxKeys: 2}),
);
const digest = fc.constantFrom('', 'a', 'b').map((text) => digestOf(text));
const action: fc.Arbitrary<Action> = fc.record(
  {
    type: fc.constant('action/1' as const),
    stage: nasty,
    code: fc.constantFrom('a', 'b').map((text) => sha256(text)),
    params: fc.dictionary(nasty, param, {maxKeys: 3, noNullPrototype: true}),
    seed: fc.nat(2),
    inputs: fc.dictionary(port, fc.oneof(digest, fc.array(digest, {maxLength: 2})), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    each: fc.oneof(port, fc.uniqueArray(port, {minLength: 2, maxLength: 3})),
    outputs: fc.constantFrom(
      {a: {kind: 'file', name: 'a'}} as const,
      {a: {kind: 'file', name: 'a', optional: true}} as const,
      {a: {kind: 'tree', name: 'a'}} as const,
    ),
    toolchain: fc.dictionary(nasty, nasty, {maxKeys: 2, noNullPrototype: true}),
    salt: nasty,
  },
  {requiredKeys: ['type', 'stage', 'code', 'params', 'seed', 'inputs', 'outputs', 'toolchain', 'salt']},
);
const sliced = fc
  .tuple(action, fc.uniqueArray(port, {minLength: 1, maxLength: 4}), digest)
  .map(([template, ports, collection]): Action => {
    const inputs = Object.fromEntries([
      ...Object.entries(template.inputs),
      ...ports.map((each) => [each, collection] as const),
    ]);
    return {...template, each: ports.length === 1 ? ports[0]! : ports, inputs};
  });

describe('slices', () => {
  it('get from the fingerprinter what hashing their whole action gives', () => {
    fc.assert(
      fc.property(
        sliced,
        fc.array(digest, {minLength: 4, maxLength: 4}),
        fc.nat(0x7fffffff),
        (template, digests, seed) => {
          const items = digests.slice(0, slicedPorts(template).length);
          expect(sliceFingerprinter(template)(items, seed)).toBe(fingerprintOf(sliceAction(template, items, seed)));
        },
      ),
      {numRuns: 2000},
    );
  });

  it('replace the collection by the item and drop the mark of slicing', () => {
    const template: Action = {...base, each: 'clip', inputs: {clip: digestOf('many'), shared: digestOf('s')}};
    const one = sliceAction(template, [digestOf('one')], 7);
    expect(one).toEqual({...base, seed: 7, inputs: {clip: digestOf('one'), shared: digestOf('s')}});
    expect(one).not.toHaveProperty('each');
  });

  it('of several collections have an item of each, and do not know which collection leads', () => {
    const inputs = {clip: digestOf('clips'), shifts: digestOf('lists'), shared: digestOf('s')};
    const template: Action = {...base, each: ['shifts', 'clip'], inputs};
    const one = sliceAction(template, [digestOf('list'), digestOf('one')], 0);
    expect(one.inputs).toEqual({clip: digestOf('one'), shifts: digestOf('list'), shared: digestOf('s')});
    const turned: Action = {...template, each: ['clip', 'shifts']};
    expect(sliceAction(turned, [digestOf('one'), digestOf('list')], 0)).toEqual(one);
    expect(fingerprintOf(turned)).not.toBe(fingerprintOf(template));
  });

  it('of one collection have the fingerprint that they always had', () => {
    const template: Action = {...base, each: 'clip', inputs: {clip: digestOf('many')}};
    expect(fingerprintOf(template)).toBe('98c473af00b675e1f455e44cee9259ec7ef09f8b7ca761784d48bd3cd9dcf9b9');
    expect(sliceFingerprinter(template)([digestOf('one')], 7)).toBe(
      '58c3da27d04cfe7ff1b0a7e727784bc90415444adbc48cad7ef98bb07f2afbbf',
    );
  });

  it('exist only where a node has slices', () => {
    expect(() => sliceAction(base, [digestOf('one')], 0)).toThrow('not an each action');
  });
});

describe('a result', () => {
  const outputs = {a: {kind: 'file', name: 'a'}, b: {kind: 'file', name: 'b', optional: true}} as const;

  it.each([
    [{a: 1, b: 1}, true],
    [{a: 1}, true],
    [{b: 1}, false],
    [{}, false],
  ])('with %j is complete: %j', (made, complete) => {
    expect(isComplete({outputs}, made)).toBe(complete);
  });
});

describe('a fingerprint', () => {
  it('is the digest of the stored action', () => {
    expect(fingerprintOf(base)).toBe(sha256(canonicalJson(base as unknown as Json)));
  });

  it('changes exactly when an input does: its content, the length of a list, or that it is a list', () => {
    const input = fc.oneof(digest, fc.array(digest, {maxLength: 2}));
    fc.assert(
      fc.property(input, input, (a, b) => {
        const [before, after] = [
          {...base, inputs: {clip: a}},
          {...base, inputs: {clip: b}},
        ];
        expect(explainAction(before, after).length === 0).toBe(fingerprintOf(before) === fingerprintOf(after));
      }),
      {numRuns: 500},
    );
  });

  it('never changes without a reason, nor a reason without it', () => {
    fc.assert(
      fc.property(fc.oneof(action, sliced), fc.oneof(action, sliced), fc.nat(10), (a, b, mixed) => {
        // Mostly equal actions: all members of one but a few of the other.
        const keys = Object.keys(a) as (keyof Action)[];
        const before: Action = {...a, ...(keys[mixed] === undefined ? {} : {[keys[mixed]]: b[keys[mixed]]})};
        expect(explainAction(before, a).length === 0).toBe(fingerprintOf(before) === fingerprintOf(a));
      }),
      {numRuns: 2000},
    );
  });
});

const base: Action = {
  type: 'action/1',
  stage: 'scale',
  code: sha256('code'),
  params: {factor: 2},
  seed: 0,
  inputs: {clip: digestOf('clip')},
  outputs: {scaled: {kind: 'file', name: 'scaled.txt'}},
  toolchain: {},
  salt: '',
};
