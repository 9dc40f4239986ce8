import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {joinCollections} from '../../../src/core/join.ts';
import {itemKey} from '../../../src/core/slice.ts';
import {makeTree, type Tree} from '../../../src/core/tree.ts';

const treeOf = (paths: readonly string[]): Tree => makeTree(paths.map((path) => ({path, digest: digestOf(path)}))).tree;

describe('joinCollections', () => {
  it('takes one collection as it is', () => {
    const tree = treeOf(['b.wav', 'a.wav']);
    expect(joinCollections([tree])).toEqual({
      ok: true,
      value: {items: tree.entries.map((entry) => ({key: itemKey(entry.path), entries: [entry]})), lacking: [[]]},
    });
  });

  it('makes nothing of an empty leading collection', () => {
    expect(joinCollections([treeOf([]), treeOf(['a'])])).toEqual({ok: true, value: {items: [], lacking: [[], []]}});
  });

  it('joins by the path without extension and ignores what the leading one lacks', () => {
    const joined = joinCollections([treeOf(['Bark/a.json', 'c.json']), treeOf(['Bark/a.wav', 'a.wav', 'b.wav'])]);
    expect(joined.ok && joined.value.items.map(({key, entries}) => [key, entries.map(({path}) => path)])).toEqual([
      ['Bark/a', ['Bark/a.json', 'Bark/a.wav']],
    ]);
    expect(joined.ok && joined.value.lacking).toEqual([[], ['c']]);
  });

  it('refuses two items of the leading collection with one key', () => {
    expect(joinCollections([treeOf(['a.flac', 'a.wav'])])).toEqual({
      ok: false,
      error: {collection: 0, key: 'a', paths: ['a.flac', 'a.wav']},
    });
  });

  it('refuses two items of another with one key only where the leading one has it', () => {
    const twins = treeOf(['a.flac', 'a.wav', 'b.wav']);
    expect(joinCollections([treeOf(['a.json']), twins])).toEqual({
      ok: false,
      error: {collection: 1, key: 'a', paths: ['a.flac', 'a.wav']},
    });
    expect(joinCollections([treeOf(['b.json']), twins]).ok).toBe(true);
  });

  it('loses nothing: an item is joined, or some collection lacks it', () => {
    const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'x/a', 'x/b', 'a.b'), {maxLength: 6});
    fc.assert(
      fc.property(fc.array(keys, {minLength: 1, maxLength: 4}), (lists) => {
        const joined = joinCollections(lists.map((list, index) => treeOf(list.map((key) => `${key}.e${index}`))));
        expect(joined.ok).toBe(true);
        if (!joined.ok) return;
        const {items, lacking} = joined.value;
        const [leading = [], ...others] = lists;
        const inAll = leading.filter((key) => others.every((other) => other.includes(key)));
        expect(new Set(items.map(({key}) => key))).toEqual(new Set(inAll));
        for (const {key, entries} of items) {
          expect(entries.map(({path}) => path)).toEqual(lists.map((_, index) => `${key}.e${index}`));
        }
        lists.forEach((list, index) => {
          expect(new Set(lacking[index])).toEqual(new Set(leading.filter((key) => !list.includes(key))));
        });
        expect([...items].map(({entries}) => entries[0]?.path)).toEqual(
          treeOf(inAll.map((key) => `${key}.e0`)).entries.map(({path}) => path),
        );
      }),
    );
  });
});
