import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {compareUtf8, makeTree, parseTree, treeText, type TreeEntry} from '../../../src/core/tree.ts';

const part = fc
  .string({unit: 'binary', minLength: 1, maxLength: 6})
  .map((text) => text.replaceAll('/', '_'))
  .filter((text) => text !== '.' && text !== '..');
const path = fc.array(part, {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'));
const entry: fc.Arbitrary<TreeEntry> = fc.tuple(path, fc.string(), fc.boolean()).map(([name, content, executable]) => ({
  path: name,
  digest: digestOf(content),
  ...(executable ? {executable: true} : {}),
}));
const entries = fc.uniqueArray(entry, {selector: ({path: name}) => name, maxLength: 12});

const hash = sha256('');

describe('compareUtf8', () => {
  it('orders as the UTF-8 bytes do', () => {
    // Characters on both sides of the surrogates, where UTF-16 order is another one.
    const unit = fc.oneof(
      fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', '😀'),
      part,
    );
    const text = fc.array(unit, {maxLength: 4}).map((units) => units.join(''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      {numRuns: 2000},
    );
  });

  it('puts a shorter text before its continuation and equals equal', () => {
    expect(compareUtf8('a', 'ab')).toBeLessThan(0);
    expect(compareUtf8('ab', 'a')).toBeGreaterThan(0);
    expect(compareUtf8('ab', 'ab')).toBe(0);
  });
});

describe('a tree', () => {
  it('reads back from its text, sorted by UTF-8 bytes', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const {tree, text} = makeTree(list);
        expect(parseTree(text)).toEqual(tree);
        const paths = tree.entries.map((each) => Buffer.from(each.path));
        expect(paths).toEqual([...paths].sort(Buffer.compare));
      }),
    );
  });

  it('has the same text and digest in whatever order the entries come', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const {artifact, text} = makeTree(list);
        expect(makeTree([...list].reverse()).text).toBe(text);
        expect(artifact).toEqual({
          kind: 'tree',
          digest: digestOf(text),
          files: list.length,
          bytes: list.reduce((sum, {digest}) => sum + digest.size, 0),
        });
      }),
    );
  });

  it('has this text', () => {
    const {text} = makeTree([
      {path: 'b', digest: {hash, size: 0}, executable: true},
      {path: 'a/b', digest: {hash, size: 7}},
    ]);
    expect(text).toBe(`{"entries":[["a/b","${hash}",7],["b","${hash}",0,true]],"type":"tree/1"}`);
    expect(treeText({entries: []})).toBe('{"entries":[],"type":"tree/1"}');
  });

  it('does not sort the list it was given', () => {
    const list = Object.freeze([
      {path: 'b', digest: digestOf('')},
      {path: 'a', digest: digestOf('')},
    ]);
    expect(makeTree(list).tree.entries.map((each) => each.path)).toEqual(['a', 'b']);
  });
});

describe('parseTree', () => {
  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"type":"tree/1"}',
    '{"type":"tree/1","entries":{}}',
    '{"type":"tree/2","entries":[]}',
    ...[
      null,
      'a',
      [],
      ['a', hash],
      [1, hash, 0],
      ['a', hash.toUpperCase(), 0],
      ['a', 'abc', 0],
      ['a', hash, '0'],
      ['a', hash, -1],
      ['a', hash, 0.5],
      ['a', hash, 0, false],
      ['a', hash, 0, true, 1],
      ['', hash, 0],
      ['/a', hash, 0],
      ['../a', hash, 0],
      ['a/../../b', hash, 0],
      ['a//b', hash, 0],
      ['a/.', hash, 0],
    ].map((row) => JSON.stringify({type: 'tree/1', entries: [row]})),
  ])('refuses %s', (text) => {
    expect(parseTree(text)).toBeUndefined();
  });
});
