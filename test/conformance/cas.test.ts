import {existsSync, mkdirSync, readFileSync, writeFileSync, chmodSync} from 'node:fs';
import {dirname, join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {digestOf, type Digest} from '../../src/core/digest.ts';
import {FailureError} from '../../src/core/failure.ts';
import type {Cas} from '../../src/core/ports.ts';
import {parseTree} from '../../src/core/tree.ts';
import {memoryCas} from '../support/memory-store.ts';
import {openedStore, tempFolder} from '../support/store-fixture.ts';

interface Subject {
  readonly cas: Cas;
  /** A folder for files that are to be put. */
  readonly folder: string;
  write(path: string, content: string | Uint8Array): void;
  exists(path: string): boolean;
  /** Puts other bytes in a blob's place. */
  damage(digest: Digest, content: string): void;
}

const implementations: Record<string, () => Subject> = {
  'on disk': () => {
    const folder = tempFolder();
    const {cas} = openedStore(join(folder, 'cache'));
    return {
      cas,
      folder: join(folder, 'work'),
      write(path, content) {
        mkdirSync(dirname(path), {recursive: true});
        writeFileSync(path, content);
      },
      exists: existsSync,
      damage(digest, content) {
        chmodSync(cas.pathOf(digest), 0o644);
        writeFileSync(cas.pathOf(digest), content);
      },
    };
  },
  'in memory': () => {
    const files = new Map<string, Uint8Array>();
    const cas = memoryCas(files);
    return {
      cas,
      folder: '/memory/work',
      write: (path, content) => void files.set(path, Buffer.from(content as string)),
      exists: (path) => files.has(path),
      damage: (digest, content) => void files.set(cas.pathOf(digest), Buffer.from(content)),
    };
  },
};

describe.each(Object.entries(implementations))('Cas %s', (_name, make) => {
  test('gives back the bytes that were put', async () => {
    const {cas} = make();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({maxLength: 5000}), async (bytes) => {
        const digest = await cas.putBytes(bytes);
        expect(digest).toEqual(digestOf(bytes));
        expect(cas.holds(digest)).toBe(true);
        expect(Buffer.from((await cas.read(digest)) ?? 'missing')).toEqual(Buffer.from(bytes));
      }),
      {numRuns: 50},
    );
  });

  test('puts text as UTF-8', async () => {
    const {cas} = make();
    const digest = await cas.putBytes('Größe');
    expect(digest).toEqual(digestOf('Größe'));
    expect(digest.size).toBe(7);
  });

  test('does not hold what was never put, nor a known hash with another size', async () => {
    const {cas} = make();
    expect(cas.holds(digestOf('nothing'))).toBe(false);
    expect(await cas.read(digestOf('nothing'))).toBeUndefined();
    const digest = await cas.putBytes('something');
    expect(cas.holds({...digest, size: 1})).toBe(false);
    expect(cas.holds(digest)).toBe(true);
  });

  test('a moved file is gone, a copied one stays', async () => {
    const {cas, folder, write, exists} = make();
    write(`${folder}/moved`, 'one');
    write(`${folder}/copied`, 'two');
    expect(await cas.putFile(`${folder}/moved`, 'move')).toEqual(digestOf('one'));
    expect(await cas.putFile(`${folder}/copied`, 'copy')).toEqual(digestOf('two'));
    expect(exists(`${folder}/moved`)).toBe(false);
    expect(exists(`${folder}/copied`)).toBe(true);
    expect(cas.holds(digestOf('one'))).toBe(true);
    expect(cas.holds(digestOf('two'))).toBe(true);
  });

  test('the same content twice is one blob', async () => {
    const {cas, folder, write, exists} = make();
    for (const name of ['first', 'second']) {
      write(`${folder}/${name}`, 'same');
      expect(await cas.putFile(`${folder}/${name}`, 'move')).toEqual(digestOf('same'));
      expect(exists(`${folder}/${name}`)).toBe(false);
    }
    expect(await cas.putBytes('same')).toEqual(digestOf('same'));
    expect(cas.holds(digestOf('same'))).toBe(true);
  });

  test('many puts of the same content at once', async () => {
    const {cas, folder, write} = make();
    const puts = Array.from({length: 20}, (_, index) => {
      write(`${folder}/${index}`, 'same');
      return cas.putFile(`${folder}/${index}`, index % 2 === 0 ? 'move' : 'copy');
    });
    for (const digest of await Promise.all(puts)) expect(digest).toEqual(digestOf('same'));
    expect(Buffer.from((await cas.read(digestOf('same'))) ?? []).toString()).toBe('same');
  });

  test('an empty file is content like any other', async () => {
    const {cas, folder, write} = make();
    write(`${folder}/empty`, '');
    const digest = await cas.putFile(`${folder}/empty`, 'move');
    expect(digest.size).toBe(0);
    expect(cas.holds(digest)).toBe(true);
    expect(await cas.read(digest)).toHaveLength(0);
  });

  test('a damaged blob is not held, not read, and can be put again', async () => {
    const {cas, damage} = make();
    for (const content of ['other text', 'sOme text', '']) {
      const digest = await cas.putBytes('some text');
      damage(digest, content);
      expect(cas.holds(digest)).toBe(false);
      damage(await cas.putBytes('some text'), content);
      expect(await cas.read(digest)).toBeUndefined();
      await cas.putBytes('some text');
      expect(cas.holds(digest)).toBe(true);
    }
  });

  test('a folder becomes a tree with all its files', async () => {
    const {cas, folder, write, exists} = make();
    write(`${folder}/out/b.txt`, 'b');
    write(`${folder}/out/a/c.txt`, 'c');
    write(`${folder}/out/a.txt`, 'a');
    write(`${folder}/out/.hidden`, 'h');
    const artifact = await cas.putTree(`${folder}/out`);
    expect(artifact).toMatchObject({kind: 'tree', files: 4, bytes: 4});
    const tree = parseTree(Buffer.from((await cas.read(artifact.digest)) ?? []).toString());
    expect(tree?.entries).toEqual([
      {path: '.hidden', digest: digestOf('h')},
      {path: 'a.txt', digest: digestOf('a')},
      {path: 'a/c.txt', digest: digestOf('c')},
      {path: 'b.txt', digest: digestOf('b')},
    ]);
    for (const entry of tree?.entries ?? []) expect(cas.holds(entry.digest)).toBe(true);
    expect(exists(`${folder}/out/a.txt`)).toBe(false);
  });

  test('a file that is not there is a failure with its path', async () => {
    const {cas, folder} = make();
    for (const how of ['move', 'copy'] as const) {
      const put = cas.putFile(`${folder}/absent`, how);
      await expect(put).rejects.toBeInstanceOf(FailureError);
      await expect(put).rejects.toMatchObject({
        failure: {code: 'output-unreadable', message: expect.stringContaining(`${folder}/absent`)},
      });
    }
  });

  test('a blob lies below dir, under its hash', async () => {
    const {cas} = make();
    const digest = await cas.putBytes('where');
    expect(cas.pathOf(digest)).toBe(`${cas.dir}/${digest.hash.slice(0, 2)}/${digest.hash}`);
  });
});

test('blobs on disk are read-only files with their bytes', async () => {
  const {cas} = openedStore(join(tempFolder(), 'cache'));
  const digest = await cas.putBytes('bytes');
  expect(readFileSync(cas.pathOf(digest), 'utf8')).toBe('bytes');
});
