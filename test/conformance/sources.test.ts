import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {digestOf} from '../../src/core/digest.ts';
import type {Source} from '../../src/core/pipeline.ts';
import type {Sources} from '../../src/core/ports.ts';
import {openStatCache} from '../../src/store/stat-cache.ts';
import {createSources} from '../../src/store/sources.ts';
import {memorySources} from '../support/memory-store.ts';
import {tempFolder} from '../support/store-fixture.ts';

interface Subject {
  readonly sources: Sources;
  readonly root: string;
  write(path: string, content: string): void;
  remove(path: string): void;
}

const implementations: Record<string, () => Subject> = {
  'on disk': () => {
    const root = tempFolder();
    const warn = (problem: {readonly message: string}): void => {
      throw new Error(problem.message);
    };
    return {
      root,
      sources: createSources({root, stat: openStatCache({file: join(root, 'cache/stat.bin'), warn})}),
      write(path, content) {
        mkdirSync(dirname(join(root, path)), {recursive: true});
        writeFileSync(join(root, path), content);
      },
      remove: (path) => rmSync(join(root, path)),
    };
  },
  'in memory': () => {
    const files = new Map<string, Uint8Array>();
    return {
      root: '/project',
      sources: memorySources(files, '/project'),
      write: (path, content) => void files.set(`/project/${path}`, Buffer.from(content)),
      remove: (path) => void files.delete(`/project/${path}`),
    };
  },
};

function source(path: string, include: readonly string[] = [], exclude: readonly string[] = []): Source {
  return {name: 'clips', path, include, exclude};
}

describe.each(Object.entries(implementations))('Sources %s', (_name, make) => {
  test('a file is known by its digest', async () => {
    const {sources, root, write} = make();
    write('data/meta.csv', 'a,b');
    expect(await sources.scan(source('data/meta.csv'))).toEqual({
      ok: true,
      value: {artifact: {kind: 'file', digest: digestOf('a,b')}, path: `${root}/data/meta.csv`},
    });
  });

  test('a folder is a sorted tree without hidden files', async () => {
    const {sources, root, write} = make();
    for (const path of ['b.wav', 'a/z.wav', 'a.wav', '.hidden', '.git/config']) write(`clips/${path}`, path);
    const scanned = await sources.scan(source('clips'));
    expect(scanned).toMatchObject({
      ok: true,
      value: {path: `${root}/clips`, artifact: {kind: 'tree', files: 3, bytes: 17}},
    });
    expect(scanned.ok && scanned.value.tree?.entries).toEqual([
      {path: 'a.wav', digest: digestOf('a.wav')},
      {path: 'a/z.wav', digest: digestOf('a/z.wav')},
      {path: 'b.wav', digest: digestOf('b.wav')},
    ]);
  });

  test('patterns choose files', async () => {
    const {sources, write} = make();
    for (const path of ['a.wav', 'x/b.wav', 'x/y/c.wav', 'x/notes.txt', 'skip/d.wav']) write(`clips/${path}`, path);
    const paths = async (...patterns: [string[], string[]?]): Promise<readonly string[]> => {
      const scanned = await sources.scan(source('clips', ...patterns));
      return scanned.ok ? (scanned.value.tree?.entries.map((entry) => entry.path) ?? []) : [];
    };
    expect(await paths(['**/*.wav'])).toEqual(['a.wav', 'skip/d.wav', 'x/b.wav', 'x/y/c.wav']);
    expect(await paths(['*.wav'])).toEqual(['a.wav']);
    expect(await paths(['**/*.wav'], ['skip'])).toEqual(['a.wav', 'x/b.wav', 'x/y/c.wav']);
    expect(await paths([], ['**/*.wav'])).toEqual(['x/notes.txt']);
  });

  test('what is missing, or matches nothing, is a failure', async () => {
    const {sources, write} = make();
    write('clips/a.wav', 'a');
    for (const missing of [source('absent'), source('clips', ['**/*.mp3'])]) {
      const scanned = await sources.scan(missing);
      expect(scanned).toMatchObject({ok: false, error: [{code: 'missing-source'}]});
    }
  });

  test('tells which files changed since the scan', async () => {
    const {sources, root, write, remove} = make();
    for (const name of ['a', 'b', 'c']) write(`clips/${name}`, name);
    await sources.scan(source('clips'));
    const all = ['a', 'b', 'c'].map((name) => `${root}/clips/${name}`);
    expect(sources.changedSince(all)).toEqual([]);
    expect(sources.changedSince([`${root}/clips`])).toEqual([]);
    write('clips/b', 'B');
    expect(sources.changedSince(all)).toEqual([`${root}/clips/b`]);
    remove('clips/c');
    write('clips/d', 'd');
    expect(sources.changedSince([`${root}/clips`]).toSorted()).toEqual(
      ['b', 'c', 'd'].map((name) => `${root}/clips/${name}`),
    );
    expect(sources.changedSince([`${root}/never-seen`])).toEqual([`${root}/never-seen`]);
  });

  test('a scan after a change sees the change', async () => {
    const {sources, write} = make();
    write('clips/a', 'one');
    const before = await sources.scan(source('clips'));
    write('clips/a', 'two');
    const after = await sources.scan(source('clips'));
    expect(before.ok && after.ok && before.value.artifact.digest.hash !== after.value.artifact.digest.hash).toBe(true);
    expect(sources.changedSince(['/never'])).toHaveLength(1);
  });
});
