import {
  appendFileSync,
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {parseTree} from '../../../src/core/tree.ts';
import {sealMs, touchEveryMs} from '../../../src/store/seal.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';

function fixture(): {store: OpenedStore; folder: string; file: (name: string, content: string | Uint8Array) => string} {
  const folder = tempFolder();
  return {
    store: openedStore(join(folder, 'cache')),
    folder,
    file(name, content) {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
  };
}

function leftIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

test('a blob is read-only and sealed, however it came in', async () => {
  const {store, file} = fixture();
  const digests = [
    await store.cas.putBytes('bytes'),
    await store.cas.putFile(file('a', 'moved'), 'move'),
    await store.cas.putFile(file('b', 'copied'), 'copy'),
  ];
  for (const digest of digests) {
    const stat = statSync(store.cas.pathOf(digest));
    expect(stat.mode & 0o777).toBe(0o444);
    expect(stat.mtimeMs).toBe(sealMs);
  }
  expect(leftIn(store.layout.tmp)).toEqual([]);
});

test('a move takes the file itself, a copy leaves the original as it was', async () => {
  const {store, file} = fixture();
  const moved = file('a', 'moved');
  const {ino} = statSync(moved);
  expect(statSync(store.cas.pathOf(await store.cas.putFile(moved, 'move'))).ino).toBe(ino);
  const copied = file('b', 'copied');
  const before = statSync(copied);
  await store.cas.putFile(copied, 'copy');
  const after = statSync(copied);
  expect([after.mode, after.mtimeMs, after.nlink]).toEqual([before.mode, before.mtimeMs, 1]);
});

test('a write into a blob that keeps its size is noticed; the damaged blob is quarantined with a warning', async () => {
  const {store} = fixture();
  const digest = await store.cas.putBytes('precious');
  const path = store.cas.pathOf(digest);
  chmodSync(path, 0o644);
  writeFileSync(path, 'PRECIOUS');
  expect(store.cas.holds(digest)).toBe(false);
  expect(existsSync(path)).toBe(false);
  expect(store.warnings).toMatchObject([{code: 'blob-corrupt', message: expect.stringContaining(digest.hash)}]);
  const [kept] = store.quarantine.list();
  expect(readFileSync(kept?.path ?? '', 'utf8')).toBe('PRECIOUS');
  expect(store.cas.holds(digest)).toBe(false);
  expect(store.warnings).toHaveLength(1);
});

test('damage that keeps the seal is noticed by reading', async () => {
  const {store} = fixture();
  const digest = await store.cas.putBytes('precious');
  const path = store.cas.pathOf(digest);
  chmodSync(path, 0o644);
  writeFileSync(path, 'PRECIOUS');
  utimesSync(path, sealMs / 1000, sealMs / 1000);
  expect(store.cas.holds(digest)).toBe(true);
  expect(await store.cas.read(digest)).toBeUndefined();
  expect(store.cas.holds(digest)).toBe(false);
});

test('a blob that a power failure emptied is noticed', async () => {
  const {store} = fixture();
  const digest = await store.cas.putBytes('precious');
  const path = store.cas.pathOf(digest);
  chmodSync(path, 0o644);
  writeFileSync(path, '');
  utimesSync(path, sealMs / 1000, sealMs / 1000);
  expect(store.cas.holds(digest)).toBe(false);
  expect(await store.cas.putBytes('precious')).toEqual(digest);
  expect(store.cas.holds(digest)).toBe(true);
});

test('a store that was copied without its times is good, and is sealed again', async () => {
  const {store, folder} = fixture();
  const digest = await store.cas.putBytes('content');
  cpSync(store.dir, join(folder, 'other'), {recursive: true, preserveTimestamps: false});
  const copy = openedStore(join(folder, 'other'));
  expect(statSync(copy.cas.pathOf(digest)).mtimeMs).not.toBe(sealMs);
  expect(copy.cas.holds(digest)).toBe(true);
  expect(statSync(copy.cas.pathOf(digest)).mtimeMs).toBe(sealMs);
  expect(copy.warnings).toEqual([]);
});

test('a folder in the place of a blob is moved out of the way', async () => {
  const {store} = fixture();
  mkdirSync(store.cas.pathOf(digestOf('content')), {recursive: true});
  expect(store.cas.holds(digestOf('content'))).toBe(false);
  expect(store.cas.holds(await store.cas.putBytes('content'))).toBe(true);
});

test('a file with a second name is copied: the other name stays writable and cannot reach the blob', async () => {
  const {store, folder, file} = fixture();
  const source = file('source.wav', 'sound');
  const output = join(folder, 'output.wav');
  linkSync(source, output);
  const digest = await store.cas.putFile(output, 'move');
  expect(existsSync(output)).toBe(false);
  expect(statSync(source)).toMatchObject({nlink: 1});
  expect(statSync(source).mtimeMs).not.toBe(sealMs);
  appendFileSync(source, '!');
  expect(store.cas.holds(digest)).toBe(true);
  expect(await store.cas.read(digest)).toEqual(Buffer.from('sound'));
});

test('a symbolic link is followed, and only the link is given away', async () => {
  const {store, folder, file} = fixture();
  const target = file('target', 'content');
  symlinkSync('target', join(folder, 'link'));
  expect(await store.cas.putFile(join(folder, 'link'), 'move')).toEqual(digestOf('content'));
  expect(readdirSync(folder).toSorted()).toEqual(['cache', 'target']);
  expect(readFileSync(target, 'utf8')).toBe('content');
});

test('a file that is written to while it is hashed is hashed again', async () => {
  const {store, file} = fixture();
  const path = file('busy', Buffer.alloc(24 << 20, 'x'));
  // File times move in steps of some milliseconds: the writes below must fall into later steps.
  const created = statSync(path).ctimeMs;
  while (Date.now() < created + 30);
  const fd = openSync(path, 'r+');
  let writes = 0;
  let done = false;
  const write = (): void => {
    if (done || writes === 5) return;
    writeSync(fd, String(writes++), 0);
    setImmediate(write);
  };
  setImmediate(write);
  const digest = await store.cas.putFile(path, 'move');
  done = true;
  closeSync(fd);
  expect(writes).toBe(5);
  expect(await store.cas.read(digest)).toHaveLength(24 << 20);
});

test.runIf(existsSync('/dev/shm'))('a file from another file system is copied', async () => {
  const {store} = fixture();
  const path = join(tempFolder('/dev/shm'), 'far');
  writeFileSync(path, 'far away');
  const digest = await store.cas.putFile(path, 'move');
  expect(existsSync(path)).toBe(false);
  expect(store.cas.holds(digest)).toBe(true);
});

test('large files are hashed as a whole', async () => {
  const {store, file} = fixture();
  const bytes = Buffer.alloc((3 << 20) + 17);
  for (let at = 0; at < bytes.length; at++) bytes[at] = at % 251;
  expect(await store.cas.putFile(file('large', bytes), 'copy')).toEqual(digestOf(bytes));
  expect(await store.cas.putFile(file('large', bytes), 'move')).toEqual(digestOf(bytes));
});

test('a tree keeps executables, follows links and copies what they lead to', async () => {
  const {store, folder} = fixture();
  const out = join(folder, 'out');
  mkdirSync(join(out, 'sub'), {recursive: true});
  writeFileSync(join(out, 'run.sh'), '#!/bin/sh', {mode: 0o755});
  writeFileSync(join(out, 'z-original'), 'text');
  symlinkSync('z-original', join(out, 'a-link'));
  symlinkSync('..', join(out, 'sub', 'cycle'));
  writeFileSync(join(folder, 'outside'), 'outside');
  symlinkSync('../outside', join(out, 'b-link'));
  mkdirSync(join(folder, 'library'));
  writeFileSync(join(folder, 'library', 'part'), 'part');
  symlinkSync('../library', join(out, 'library'));
  const artifact = await store.cas.putTree(out);
  const tree = parseTree(Buffer.from((await store.cas.read(artifact.digest)) ?? []).toString());
  expect(tree?.entries).toEqual([
    {path: 'a-link', digest: digestOf('text')},
    {path: 'b-link', digest: digestOf('outside')},
    {path: 'library/part', digest: digestOf('part')},
    {path: 'run.sh', digest: digestOf('#!/bin/sh'), executable: true},
    {path: 'z-original', digest: digestOf('text')},
  ]);
  expect(readFileSync(join(folder, 'outside'), 'utf8')).toBe('outside');
  expect(readFileSync(join(folder, 'library', 'part'), 'utf8')).toBe('part');
});

test('an output with a broken link in it is a failure', async () => {
  const {store, folder} = fixture();
  mkdirSync(join(folder, 'out'));
  symlinkSync('nowhere', join(folder, 'out', 'broken'));
  await expect(store.cas.putTree(join(folder, 'out'))).rejects.toMatchObject({
    failure: {code: 'output-unreadable', message: expect.stringContaining('out/broken')},
  });
});

test('putting into a store that cannot be written to is a failure and leaves nothing', async () => {
  const {store, file} = fixture();
  writeFileSync(store.layout.cas, 'a file where a folder should be');
  const source = file('source', 'content');
  const unwritable = {
    failure: {code: 'cache-unwritable', message: expect.stringContaining('Could not write'), hint: expect.any(String)},
  };
  await expect(store.cas.putBytes('content')).rejects.toMatchObject(unwritable);
  await expect(store.cas.putFile(source, 'copy')).rejects.toMatchObject(unwritable);
  await expect(store.cas.putFile(source, 'move')).rejects.toMatchObject(unwritable);
  expect(leftIn(store.layout.tmp)).toEqual([]);
  expect(store.cas.holds(digestOf('content'))).toBe(false);
  rmSync(store.layout.cas);
  expect(store.cas.holds(await store.cas.putBytes('content'))).toBe(true);
});

test('a use renews the time of last use, but not more often than needed', async () => {
  const {store} = fixture();
  const digest = await store.cas.putBytes('content');
  const path = store.cas.pathOf(digest);
  const old = Date.now() - 2 * touchEveryMs;
  utimesSync(path, old / 1000, sealMs / 1000);
  expect(store.cas.holds(digest)).toBe(true);
  const {atimeMs} = statSync(path);
  expect(atimeMs).toBeGreaterThan(old + touchEveryMs);
  const recent = Date.now() - touchEveryMs / 2;
  utimesSync(path, recent / 1000, sealMs / 1000);
  const {ctimeMs} = statSync(path);
  expect(store.cas.holds(digest)).toBe(true);
  expect(statSync(path).ctimeMs).toBe(ctimeMs);
  await store.cas.putBytes('content');
  expect(statSync(path).atimeMs).toBeGreaterThan(recent);
});
