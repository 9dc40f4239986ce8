import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Distrusted} from '../../../src/core/origin.ts';
import {errorsOf} from '../../support/schemas.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

const liar: Distrusted = {
  voucher: 'namespace:pr-12',
  since: 1_000,
  builder: {name: 'ada', commit: 'abc', job: 'https://ci.example.org/1'},
  node: 'prep',
  why: 'output out has other bytes',
};
const other: Distrusted = {voucher: 'key:00ff', since: 2_000, node: 'train', why: 'metric loss'};

describe('who is distrusted', () => {
  it('is known to all who use the store, until it is lifted', async () => {
    const dir = tempFolder();
    await openedStore(dir).distrust.add(liar);
    const store = openedStore(dir);
    expect(store.distrust.of('namespace:pr-12')).toEqual(liar);
    expect(store.distrust.of('namespace:pr-1')).toBeUndefined();
    expect(errorsOf('distrusted', JSON.parse(readFileSync(store.layout.distrusted, 'utf8')))).toEqual([]);
    await store.distrust.add(other);
    expect(store.distrust.list()).toEqual([other, liar]);
    await store.distrust.lift(new Set(['namespace:pr-12'] as const));
    expect(openedStore(dir).distrust.list()).toEqual([other]);
    await store.distrust.lift('all');
    expect(openedStore(dir).distrust.list()).toEqual([]);
    expect(existsSync(store.layout.distrusted)).toBe(false);
  });

  it('is nobody in a new store, where no file is made for it', () => {
    const store = openedStore(tempFolder());
    expect(store.distrust.of('namespace:default')).toBeUndefined();
    expect(existsSync(store.layout.distrusted)).toBe(false);
    expect(store.warnings).toEqual([]);
  });

  it('is what all have found who find it at once', async () => {
    const dir = tempFolder();
    const found = Array.from({length: 9}, (_, index): Distrusted => ({...liar, voucher: `namespace:pr-${index}`}));
    const stores = found.map(() => openedStore(dir));
    // Each has read the empty list before the first adds to it.
    for (const store of stores) expect(store.distrust.list()).toEqual([]);
    await Promise.all(found.map((entry, index) => stores[index]!.distrust.add(entry)));
    expect(openedStore(dir).distrust.list()).toHaveLength(9);
    expect(stores.flatMap(({warnings}) => warnings)).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"type":"distrusted/1","entries":[{"vouc'],
    ['another version', '{"type":"distrusted/2","entries":[]}'],
    ['an entry of nobody', '{"type":"distrusted/1","entries":[{"since":1,"node":"a","why":"b"}]}'],
  ])('is everybody where the file holds %s', async (_, text) => {
    const dir = tempFolder();
    const file = join(dir, 'distrusted.json');
    writeFileSync(file, text);
    const store = openedStore(dir);
    expect(store.distrust.of('namespace:anybody')).toBeDefined();
    expect(store.distrust.of('key:00')).toBeDefined();
    expect(store.distrust.list()).toBeUndefined();
    expect(store.warnings).toHaveLength(1);
    expect(store.warnings[0]).toMatchObject({hint: expect.stringContaining('mixdown cache trust --all')});
    // One more name would be all that is left of the others.
    await store.distrust.add(liar);
    await store.distrust.lift(new Set(['namespace:anybody'] as const));
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(store.distrust.of('namespace:anybody')).toBeDefined();
    await store.distrust.lift('all');
    expect(openedStore(dir).distrust.of('namespace:anybody')).toBeUndefined();
    rmSync(file, {force: true});
  });
});
