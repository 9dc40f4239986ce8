import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {digestOf, type Digest} from '../../../src/core/digest.ts';
import {assembleSlices, itemKey, slicePath, type AssembledTree, type SlicePart} from '../../../src/core/slice.ts';
import type {OutputPort} from '../../../src/core/stage.ts';
import {makeTree, parseTree, type Tree} from '../../../src/core/tree.ts';

describe('itemKey', () => {
  it.each([
    ['a.wav', 'a'],
    ['Bark/a.wav', 'Bark/a'],
    ['a', 'a'],
    ['a.tar.gz', 'a.tar'],
    ['v1.2/a', 'v1.2/a'],
    ['.hidden', '.hidden'],
    ['Bark/.hidden', 'Bark/.hidden'],
    ['Bark/.hidden.wav', 'Bark/.hidden'],
    ['a.', 'a'],
  ])('of %s is %s', (path, key) => {
    expect(itemKey(path)).toBe(key);
  });
});

describe('slicePath', () => {
  it.each([
    ['patches.npy', 'Bark/a.npy'],
    ['a.tar.gz', 'Bark/a.gz'],
    ['patches', 'Bark/a'],
    ['.npy', 'Bark/a'],
  ])('with an output named %s is %s', (name, path) => {
    expect(slicePath('Bark/a', {kind: 'file', name})).toBe(path);
  });
});

describe('assembleSlices', () => {
  const outputs = {wave: {kind: 'file', name: 'wave.wav'}, log: {kind: 'file', name: 'log.txt'}} as const;

  it('makes one tree for each output, in the order of paths', () => {
    const made = assembled(outputs, [
      {key: 'b', outputs: {wave: digestOf('bw'), log: digestOf('bl')}},
      {key: 'a', outputs: {wave: digestOf('aw'), log: digestOf('al')}},
    ]);
    expect(made['wave']?.tree.entries).toEqual([
      {path: 'a.wav', digest: digestOf('aw')},
      {path: 'b.wav', digest: digestOf('bw')},
    ]);
    expect(made['log']?.artifact).toMatchObject({kind: 'tree', files: 2, bytes: 4});
    expect(parseTree(made['log']?.text ?? '')).toEqual(made['log']?.tree);
  });

  it('makes empty trees of no slices and refuses a slice without an output', () => {
    expect(assembled(outputs, [])['wave']?.tree.entries).toEqual([]);
    expect(() => assembled(outputs, [{key: 'a', outputs: {wave: digestOf('')}}])).toThrow('slice a has no output log');
  });

  it('leaves a slice out of the tree of an optional output that it did not write', () => {
    const lenient = {...outputs, wave: {...outputs.wave, optional: true}} as const;
    const made = assembled(lenient, [
      {key: 'a', outputs: {log: digestOf('al')}},
      {key: 'b', outputs: {wave: digestOf('bw'), log: digestOf('bl')}},
    ]);
    expect(pathsOf(made['wave'])).toEqual(['b.wav']);
    expect(pathsOf(made['log'])).toEqual(['a.txt', 'b.txt']);
  });

  it('puts the files of a tree below the key of its item, as they are', () => {
    const digest = digestOf('x');
    const made = assembled({copies: {kind: 'tree', name: 'copies'}}, [
      {key: 'Bark/a', outputs: {copies: treeDigest({'pitch+05.wav': 'up', 'deep/er.wav': 'x'})}},
      {key: 'Bark/b', outputs: {copies: treeDigest({})}},
    ]);
    expect(made['copies']?.tree.entries).toEqual([
      {path: 'Bark/a/deep/er.wav', digest, executable: true},
      {path: 'Bark/a/pitch+05.wav', digest: digestOf('up'), executable: true},
    ]);
  });

  it.each([
    ['one path', {a: {'b/c.wav': ''}, 'a/b': {'c.wav': ''}}, ['a/b/c.wav', 'a/b/c.wav'], ['a', 'a/b']],
    ['a file where a folder is', {a: {b: ''}, 'a/b': {c: ''}, 'a-b': {x: ''}}, ['a/b', 'a/b/c'], ['a', 'a/b']],
    ['a file far above', {'a/b': {'c/d/e': ''}, a: {b: ''}}, ['a/b', 'a/b/c/d/e'], ['a', 'a/b']],
  ] as const)('names both slices that make %s', (_, files, paths, keys) => {
    const slices = Object.entries(files).map(([key, tree]) => ({key, outputs: {out: treeDigest(tree)}}));
    expect(assembleSlices({out: {kind: 'tree', name: 'out'}}, slices, treeOf)).toEqual({
      ok: false,
      error: {output: 'out', paths, keys},
    });
  });

  it('finds files that clash when the output’s name has no extension', () => {
    const slices = ['a', 'a/b'].map((key) => ({key, outputs: {out: digestOf(key)}}));
    expect(assembleSlices({out: {kind: 'file', name: 'out'}}, slices, treeOf)).toMatchObject({
      error: {paths: ['a', 'a/b'], keys: ['a', 'a/b']},
    });
    expect(assembleSlices({out: {kind: 'file', name: 'out.txt'}}, slices, treeOf).ok).toBe(true);
  });

  it('refuses exactly what cannot be laid out in a folder', () => {
    const part = fc.constantFrom('a', 'b', 'a-', 'a.b');
    const path = fc.array(part, {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'));
    const slices = fc.uniqueArray(fc.tuple(path, fc.uniqueArray(path, {maxLength: 3})), {
      maxLength: 4,
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(slices, (list) => {
        const made = assembleSlices(
          {out: {kind: 'tree', name: 'out'}},
          list.map(([key, paths]) => ({
            key,
            outputs: {out: treeDigest(Object.fromEntries(paths.map((each) => [each, ''])))},
          })),
          treeOf,
        );
        const all = list.flatMap(([key, paths]) => paths.map((each) => `${key}/${each}`));
        const clashes = all.some((one, at) =>
          all.some((other, index) => index !== at && (other === one || other.startsWith(`${one}/`))),
        );
        expect(made.ok).toBe(!clashes);
        if (made.ok) expect(new Set(pathsOf(made.value['out']))).toEqual(new Set(all));
      }),
      {numRuns: 500},
    );
  });
});

const trees = new Map<string, Tree>();

function treeDigest(files: Readonly<Record<string, string>>): Digest {
  const entries = Object.entries(files).map(
    ([path, text]) => ({path, digest: digestOf(text), executable: true}) as const,
  );
  const {tree, artifact} = makeTree(entries);
  trees.set(artifact.digest.hash, tree);
  return artifact.digest;
}

function treeOf({hash}: Digest): Tree {
  return trees.get(hash)!;
}

function assembled(
  outputs: Readonly<Record<string, OutputPort>>,
  slices: readonly SlicePart[],
): Readonly<Record<string, AssembledTree>> {
  const made = assembleSlices(outputs, slices, treeOf);
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

function pathsOf(made: AssembledTree | undefined): readonly string[] {
  return made?.tree.entries.map(({path}) => path) ?? [];
}
