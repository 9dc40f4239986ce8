import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {openStore} from '../../../src/store/store.ts';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

test('makes its folder and nothing in it before something is put', () => {
  const dir = join(tempFolder(), 'some/where/cache');
  const store = openedStore(dir);
  expect(store.cas.holds(digestOf('x'))).toBe(false);
  expect(store.actions.get(sha256('x'))).toBeUndefined();
  expect(readdirSync(dir)).toEqual([]);
});

test('a file in the place of the store is a failure', () => {
  const dir = join(tempFolder(), 'cache');
  writeFileSync(dir, '');
  const opened = openStore({dir, what: 'a test', warn: () => undefined});
  expect(opened).toMatchObject({
    ok: false,
    error: [{code: 'cache-unwritable', hint: expect.stringContaining('--cache')}],
  });
  const below = openStore({dir: join(dir, 'deeper'), what: 'a test', warn: () => undefined});
  expect(below).toMatchObject({ok: false, error: [{code: 'cache-unwritable'}]});
});

test('a process that uses the store is known to others until it closes', async () => {
  const store = openedStore(join(tempFolder(), 'cache'));
  expect(existsSync(store.layout.sessions)).toBe(false);
  await store.cas.putBytes('x');
  expect(readdirSync(store.layout.sessions)).toEqual([`${process.pid}-${store.session.nonce}.json`]);
  store.close();
  store.close();
  expect(readdirSync(store.layout.sessions)).toEqual([]);
});
