import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {createServer} from 'node:net';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import type {Failure} from '../../../src/core/failure.ts';
import type {Source} from '../../../src/core/pipeline.ts';
import type {Sources} from '../../../src/core/ports.ts';
import {openStatCache} from '../../../src/store/stat-cache.ts';
import {createSources} from '../../../src/store/sources.ts';
import {tempFolder} from '../../support/store-fixture.ts';

interface Fixture {
  readonly root: string;
  readonly sources: Sources;
  /** Another process. */
  again(): Sources;
  /** Writes a file; with `old`, as if long ago, so that its stat is trusted. */
  write(path: string, content: string, old?: 'old'): string;
  age(path: string): void;
}

function fixture(): Fixture {
  const root = tempFolder();
  const warn = (problem: Failure): void => {
    throw new Error(problem.message);
  };
  const again = (): Sources => createSources({root, stat: openStatCache({file: join(root, 'cache/stat.bin'), warn})});
  const age = (path: string): void => utimesSync(join(root, path), 1_700_000_000, 1_700_000_000);
  return {
    root,
    again,
    sources: again(),
    age,
    write(path, content, old) {
      mkdirSync(dirname(join(root, path)), {recursive: true});
      writeFileSync(join(root, path), content);
      if (old) age(path);
      return join(root, path);
    },
  };
}

function source(path: string, include: readonly string[] = [], exclude: readonly string[] = []): Source {
  return {name: 'clips', path, include, exclude, range: {file: 'pipeline.yaml', line: 3, column: 5}};
}

async function paths(sources: Sources, wanted: Source): Promise<readonly string[]> {
  const scanned = await sources.scan(wanted);
  if (!scanned.ok) throw new Error(scanned.error.map((problem) => problem.message).join('\n'));
  return scanned.value.tree?.entries.map((entry) => entry.path) ?? [];
}

async function failures(sources: Sources, wanted: Source): Promise<readonly Failure[]> {
  const scanned = await sources.scan(wanted);
  return scanned.ok ? [] : scanned.error;
}

test('follows links to files and folders, once around', async () => {
  const {root, sources, write} = fixture();
  write('clips/a.wav', 'a');
  write('elsewhere/b.wav', 'b');
  write('elsewhere/deep/c.wav', 'c');
  symlinkSync('../elsewhere', join(root, 'clips/more'));
  symlinkSync('../../clips', join(root, 'elsewhere/deep/back'));
  symlinkSync('.', join(root, 'clips/self'));
  symlinkSync('a.wav', join(root, 'clips/d.wav'));
  expect(await paths(sources, source('clips'))).toEqual(['a.wav', 'd.wav', 'more/b.wav', 'more/deep/c.wav']);
});

test('what cannot be read is named, all of it at once', async () => {
  const {root, sources, write} = fixture();
  write('clips/a.wav', 'a');
  symlinkSync('nowhere.wav', join(root, 'clips/broken.wav'));
  symlinkSync('loop.wav', join(root, 'clips/loop.wav'));
  const server = createServer().listen(join(root, 'clips/socket.wav'));
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const found = await failures(sources, source('clips'));
  expect(found.map((problem) => problem.code)).toEqual(Array(3).fill('input-unreadable'));
  for (const name of ['broken.wav', 'loop.wav', 'socket.wav']) {
    expect(found.some((problem) => problem.message.includes(`clips/${name}`))).toBe(true);
  }
  expect(found[0]?.diagnostics?.[0]?.range?.line).toBe(3);
  expect(await paths(sources, source('clips', ['a.*']))).toEqual(['a.wav']);
});

test('names that are not UTF-8 or hold a line break are failures', async () => {
  const {root, sources, write} = fixture();
  write('clips/fine \ufffd.wav', 'a');
  expect(await paths(sources, source('clips'))).toEqual(['fine \ufffd.wav']);
  write('clips/two\nlines.wav', 'b');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/clips/`), Buffer.from([0x66, 0xfc, 0x72])]), 'c');
  const found = await failures(sources, source('clips'));
  expect(found).toHaveLength(2);
  expect(found.map((problem) => problem.message).join('\n')).toMatch(/line break[^]*not UTF-8|not UTF-8[^]*line break/);
});

test('hidden files count only when a pattern names them', async () => {
  const {sources, write} = fixture();
  for (const path of ['a', '.b', '.c/d', 'e/.f', 'e/g']) write(`clips/${path}`, path);
  expect(await paths(sources, source('clips'))).toEqual(['a', 'e/g']);
  expect(await paths(sources, source('clips', ['**']))).toEqual(['a', 'e/g']);
  expect(await paths(sources, source('clips', ['**', '.b', '.c/*']))).toEqual(['.b', '.c/d', 'a', 'e/g']);
  expect(await paths(sources, source('clips', ['.c']))).toEqual(['.c/d']);
  expect(await paths(sources, source('clips', ['**/.*', '**'], ['**/.b']))).toEqual(['a', 'e/.f', 'e/g']);
});

test('a missing source says what may be meant', async () => {
  const {sources, write} = fixture();
  write('data/audio/a.wav', 'a');
  const [problem] = await failures(sources, source('data/audoi'));
  expect(problem).toMatchObject({
    code: 'missing-source',
    message: 'Source `clips`: data/audoi does not exist',
    hint: 'There is no data/audoi; did you mean `audio`?',
    diagnostics: [{range: {line: 3}}],
  });
  const [deeper] = await failures(sources, source('dota/audio/x'));
  expect(deeper?.hint).toBe('There is no dota; did you mean `data`?');
  const [far] = await failures(sources, source('entirely-other'));
  expect(far?.hint).toBe('There is no entirely-other. Make it, or correct the path in the pipeline.');
  const [inFile] = await failures(sources, source('data/audio/a.wav/b'));
  expect(inFile?.code).toBe('missing-source');
});

test('executables are part of a tree', async () => {
  const {root, sources, write} = fixture();
  write('bin/tool', 'x');
  const before = await sources.scan(source('bin'));
  chmodSync(join(root, 'bin/tool'), 0o755);
  const after = await sources.scan(source('bin'));
  expect(after.ok && after.value.tree?.entries).toEqual([{path: 'tool', digest: digestOf('x'), executable: true}]);
  expect(before.ok && after.ok && before.value.artifact.digest.hash === after.value.artifact.digest.hash).toBe(false);
});

test('an unchanged file is not read again, by the next process neither', async () => {
  const {root, sources, again, write} = fixture();
  const file = write('clips/a.wav', 'first');
  const old = Date.now() / 1000 - 100;
  utimesSync(file, old, old);
  await sources.scan(source('clips'));
  const stat = openStatCache({file: join(root, 'cache/stat.bin'), warn: () => undefined});
  // The change time is that of now: the first scan does not trust it.
  expect(stat.lookup(file, statSync(file))).toBeUndefined();
  stat.record(file, statSync(file), digestOf('a lie').hash, Date.now() + 60_000);
  stat.flush();
  const scanned = await again().scan(source('clips'));
  expect(scanned.ok && scanned.value.tree?.entries[0]?.digest.hash).toBe(digestOf('a lie').hash);
});

test('a write that keeps size and time is seen, since the change time moves', async () => {
  const {root, sources, again, write, age} = fixture();
  write('clips/a.wav', 'first', 'old');
  await sources.scan(source('clips'));
  writeFileSync(join(root, 'clips/a.wav'), 'other');
  age('clips/a.wav');
  const scanned = await again().scan(source('clips'));
  expect(scanned.ok && scanned.value.tree?.entries[0]?.digest).toEqual(digestOf('other'));
  expect(sources.changedSince([join(root, 'clips/a.wav')])).toHaveLength(1);
});

test('changedSince: content, size, another file in its place, permission to execute; not links or modes', async () => {
  const {root, sources, write} = fixture();
  const names = ['same', 'touched', 'written', 'longer', 'replaced', 'executable', 'linked', 'mode'];
  const file = (name: string): string => join(root, 'clips', name);
  for (const name of names) write(`clips/${name}`, 'content', 'old');
  await sources.scan(source('clips'));
  utimesSync(file('touched'), 1_700_000_001, 1_700_000_001);
  writeFileSync(file('written'), 'CONTENT');
  appendFileSync(file('longer'), '!');
  write('other', 'content', 'old');
  renameSync(join(root, 'other'), file('replaced'));
  chmodSync(file('executable'), 0o755);
  linkSync(file('linked'), join(root, 'second-name'));
  chmodSync(file('mode'), 0o600);
  const changed = sources.changedSince(names.map(file));
  expect(changed).toEqual(['touched', 'written', 'longer', 'replaced', 'executable'].map(file));
});

test('a write right after the scan is seen, even when the file times did not move', async () => {
  const {root, sources, write} = fixture();
  const file = join(root, 'a');
  for (let turn = 0; turn < 100; turn++) {
    write('a', 'one');
    await sources.scan(source('a'));
    write('a', 'two');
    expect(sources.changedSince([file])).toEqual([file]);
    const scanned = await sources.scan(source('a'));
    expect(scanned.ok && scanned.value.artifact.digest).toEqual(digestOf('two'));
  }
});

test('a source that is a device is refused', async () => {
  expect(await failures(fixture().sources, source('/dev/null'))).toMatchObject([{code: 'input-unreadable'}]);
});

test('a source may be an absolute path, or a link', async () => {
  const {root, sources, write} = fixture();
  write('real/a', 'a');
  symlinkSync('real', join(root, 'link'));
  expect(await paths(sources, source(join(root, 'real')))).toEqual(['a']);
  expect(await paths(sources, source('link'))).toEqual(['a']);
});

test('an empty folder is an empty tree', async () => {
  const {root, sources} = fixture();
  mkdirSync(join(root, 'clips'));
  expect(await paths(sources, source('clips'))).toEqual([]);
});
