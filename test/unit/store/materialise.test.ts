import {appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {canonicalJson} from '../../../src/core/json.ts';
import type {Artifact} from '../../../src/core/tree.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';
import {aFile} from '../../support/store-records.ts';

test('a shared file is read-only and has the bytes', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  const digest = await cas.putBytes('content');
  const to = join(folder, 'out/deep/table.csv');
  const placed = await files.artifact(aFile(digest), to, 'shared');
  expect(placed.ok).toBe(true);
  expect(readFileSync(to, 'utf8')).toBe('content');
  expect(statSync(to).mode & 0o777).toBe(0o444);
  const isLink = statSync(to).ino === statSync(cas.pathOf(digest)).ino;
  expect(isLink).toBe(placed.ok && placed.value === 'hardlink');
  expect(cas.holds(digest)).toBe(true);
});

test('a private file can be written to without reaching the blob', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  const digest = await cas.putBytes('content');
  const to = join(folder, 'input.csv');
  expect(await files.artifact(aFile(digest), to, 'private')).toMatchObject({ok: true});
  appendFileSync(to, ' and more');
  expect(await cas.read(digest)).toEqual(Buffer.from('content'));
  expect(cas.holds(digest)).toBe(true);
});

test('a tree becomes a folder; executables are executable and no links', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  mkdirSync(join(folder, 'in/sub'), {recursive: true});
  writeFileSync(join(folder, 'in/run.sh'), '#!/bin/sh', {mode: 0o755});
  writeFileSync(join(folder, 'in/sub/data'), 'data');
  const artifact = await cas.putTree(join(folder, 'in'));
  const to = join(folder, 'out');
  expect(await files.artifact(artifact, to, 'shared')).toMatchObject({ok: true});
  expect(readFileSync(join(to, 'sub/data'), 'utf8')).toBe('data');
  expect(statSync(join(to, 'run.sh')).mode & 0o777).toBe(0o555);
  expect(statSync(cas.pathOf(digestOf('#!/bin/sh'))).mode & 0o777).toBe(0o444);
});

test('an empty tree becomes an empty folder', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  mkdirSync(join(folder, 'in'));
  await files.artifact(await cas.putTree(join(folder, 'in')), join(folder, 'out'), 'shared');
  expect(readdirSync(join(folder, 'out'))).toEqual([]);
});

test.each(['../escaped', '/etc/escaped', 'a/../../escaped', 'a//b', '.', '', 'a\0b', 'a\\..\\b'])(
  'a tree with the path %j is refused as a whole',
  async (path) => {
    const folder = tempFolder();
    const {cas, files} = openedStore(join(folder, 'cache'));
    const good = await cas.putBytes('content');
    const rows = [
      ['good', good.hash, good.size],
      [path, good.hash, good.size],
    ];
    const digest = await cas.putBytes(canonicalJson({entries: rows, type: 'tree/1'}));
    const artifact: Artifact = {kind: 'tree', digest, files: 2, bytes: 14};
    const placed = await files.artifact(artifact, join(folder, 'x/y/out'), 'shared');
    expect(placed).toMatchObject({ok: false, error: [{code: 'blob-corrupt'}]});
    expect(existsSync(join(folder, 'x'))).toBe(false);
    expect(readdirSync(folder)).toEqual(['cache']);
  },
);

test('what is not in the cache is a failure that names it', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  const absent = digestOf('absent');
  const to = join(folder, 'out');
  expect(await files.artifact(aFile(absent), to, 'shared')).toMatchObject({ok: false, error: [{code: 'blob-missing'}]});
  const digest = await cas.putBytes(canonicalJson({entries: [['a', absent.hash, absent.size]], type: 'tree/1'}));
  expect(await files.artifact({kind: 'tree', digest, files: 1, bytes: 6}, to, 'shared')).toMatchObject({
    ok: false,
    error: [{code: 'blob-missing', message: expect.stringContaining('a (blob')}],
  });
});

test('never replaces a file', async () => {
  const folder = tempFolder();
  const {cas, files} = openedStore(join(folder, 'cache'));
  const digest = await cas.putBytes('content');
  writeFileSync(join(folder, 'mine'), 'mine');
  for (const mode of ['shared', 'private'] as const) {
    expect(await files.artifact(aFile(digest), join(folder, 'mine'), mode)).toMatchObject({ok: false});
  }
  expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('mine');
});

test.runIf(existsSync('/dev/shm'))('to another file system it copies', async () => {
  const {cas, files} = openedStore(join(tempFolder(), 'cache'));
  const digest = await cas.putBytes('content');
  const to = join(tempFolder('/dev/shm'), 'far');
  expect(await files.artifact(aFile(digest), to, 'shared')).toEqual({ok: true, value: 'copy'});
  expect(readFileSync(to, 'utf8')).toBe('content');
});
