import {expect, test} from 'vitest';
import {codeChanges, entryChanges} from '../../../src/core/changes.ts';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {makeTree, type Tree} from '../../../src/core/tree.ts';

function tree(content: Readonly<Record<string, string>>): Tree {
  return makeTree(Object.entries(content).map(([path, text]) => ({path, digest: digestOf(text)}))).tree;
}

test('entryChanges names what came, went and changed, in path order', () => {
  const before = tree({'a.wav': '1', 'b.wav': '2', 'd.wav': '4', '😀.wav': '5'});
  const after = tree({'a.wav': '1', 'b.wav': 'x', 'c.wav': '3', 'ﬀ.wav': '6', '😀.wav': '7'});
  expect(entryChanges(before, after)).toEqual({
    added: ['c.wav', 'ﬀ.wav'],
    removed: ['d.wav'],
    changed: ['b.wav', '😀.wav'],
    addedCount: 2,
    removedCount: 1,
    changedCount: 2,
    total: 5,
  });
});

test('entryChanges sees the executable bit and caps the lists, not the counts', () => {
  const digest = digestOf('x');
  const plain = makeTree([{path: 'run.sh', digest}]).tree;
  const executable = makeTree([{path: 'run.sh', digest, executable: true}]).tree;
  expect(entryChanges(plain, executable).changed).toEqual(['run.sh']);
  const many = tree(Object.fromEntries(Array.from({length: 80}, (_, i) => [`f${i}`, 'x'])));
  const {added, addedCount} = entryChanges(tree({}), many);
  expect([added.length, addedCount]).toEqual([50, 80]);
});

test('codeChanges names files, then packages', () => {
  const [a, b] = [sha256('a'), sha256('b')];
  expect(
    codeChanges(
      {type: 'code/1', files: {'stages/x.ts': a, 'stages/old.ts': a}, packages: {esbuild: '0.28.1', same: '1'}},
      {type: 'code/1', files: {'stages/x.ts': b, 'stages/new.ts': a}, packages: {esbuild: '0.28.2', same: '1'}},
    ),
  ).toEqual([
    {what: 'file', name: 'stages/new.ts', after: a},
    {what: 'file', name: 'stages/old.ts', before: a},
    {what: 'file', name: 'stages/x.ts', before: a, after: b},
    {what: 'package', name: 'esbuild', before: '0.28.1', after: '0.28.2'},
  ]);
});
