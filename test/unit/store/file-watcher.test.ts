import {mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Failure} from '../../../src/core/failure.ts';
import {openFileWatcher, type FileWatcher, type WatchedPath} from '../../../src/store/file-watcher.ts';

let root: string;
let outside: string;
let watcher: FileWatcher;
let problems: Failure[];
let told: string[];
let wake: () => void;
beforeEach(() => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'mixdown-watch-')));
  root = join(base, 'project');
  outside = join(base, 'outside');
  for (const folder of [root, outside]) mkdirSync(folder);
  problems = [];
  told = [];
  wake = () => {};
  watcher = openFileWatcher({
    root,
    ignored: [join(root, 'cache')],
    onChange(paths) {
      told.push(...paths);
      wake();
    },
    onProblem: (problem) => problems.push(problem),
  });
});
afterEach(async () => {
  await watcher.close();
  rmSync(join(root, '..'), {recursive: true});
});

const whole = (path: string): WatchedPath => ({path, include: [], exclude: []});

function write(path: string, text = ''): void {
  mkdirSync(join(path, '..'), {recursive: true});
  writeFileSync(path, text);
}

/** Everything that was told until all of these paths are, in order of paths, which is forgotten then. */
async function toldUntil(...paths: readonly string[]): Promise<string[]> {
  while (!paths.every((path) => told.includes(path))) await new Promise<void>((resolve) => (wake = resolve));
  return [...new Set(told.splice(0))].sort();
}

describe('a file watcher', () => {
  it('tells files that are new, changed or gone, and no others', async () => {
    write(join(root, 'in/a.wav'));
    write(join(root, 'in/b.wav'));
    write(join(root, 'in/raw/old.wav'));
    await watcher.watch([{path: join(root, 'in'), include: ['**/*.wav'], exclude: ['raw']}, whole(join(root, 'end'))]);
    write(join(root, 'in/a.wav'), 'changed');
    rmSync(join(root, 'in/b.wav'));
    write(join(root, 'in/deep/c.wav'));
    write(join(root, 'in/notes.txt'));
    write(join(root, 'in/raw/d.wav'));
    write(join(root, 'in/.hidden/e.wav'));
    write(join(root, 'other/f.wav'));
    const expected = ['in/a.wav', 'in/b.wav', 'in/deep/c.wav'].map((path) => join(root, path));
    expect(await toldUntil(...expected)).toEqual(expected);
    write(join(root, 'end'));
    expect(await toldUntil(join(root, 'end'))).toEqual([join(root, 'end')]);
  });

  it('is blind to the folders that are ignored, even inside what is watched', async () => {
    await watcher.watch([whole(root)]);
    write(join(root, 'cache/cas/1'));
    write(join(root, 'seen'));
    expect(await toldUntil(join(root, 'seen'))).toEqual([join(root, 'seen')]);
  });

  it('sees a folder again that went away and came back', async () => {
    write(join(root, 'in/a'));
    await watcher.watch([whole(join(root, 'in'))]);
    renameSync(join(root, 'in'), join(root, 'away'));
    await toldUntil(join(root, 'in/a'));
    renameSync(join(root, 'away'), join(root, 'in'));
    await toldUntil(join(root, 'in/a'));
    write(join(root, 'in/a'), 'changed');
    expect(await toldUntil(join(root, 'in/a'))).toEqual([join(root, 'in/a')]);
    expect(problems).toEqual([]);
  });

  it('waits for what does not exist yet, outside of the project too', async () => {
    await watcher.watch([whole(join(outside, 'data/clips'))]);
    write(join(outside, 'data/clips/a.wav'));
    expect(await toldUntil(join(outside, 'data/clips/a.wav'))).toEqual([join(outside, 'data/clips/a.wav')]);
  });

  it('is told of other paths once', async () => {
    const one = [whole(join(root, 'one'))];
    await watcher.begin(one);
    expect(await watcher.watch(one)).toBe(false);
    await watcher.begin([whole(join(root, 'unused'))]);
    expect(await watcher.watch([whole(join(root, 'two'))])).toBe(true);
    write(join(root, 'one'));
    write(join(root, 'two'));
    expect(await toldUntil(join(root, 'two'))).toEqual([join(root, 'two')]);
  });
});
