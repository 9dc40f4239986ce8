import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {pinFileOf, readPins, type LockWish} from '../../../../src/cli/pins/file.ts';
import {pinsText} from '../../../../src/pins/pins-text.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mixdown-pins-'));
});
afterEach(() => {
  rmSync(root, {recursive: true, force: true});
});

const wish = (globals: Partial<LockWish['globals']> = {}): LockWish => ({
  io: {cwd: root},
  globals: {profile: [], set: [], ...globals},
});

describe('pinFileOf', () => {
  it.each([
    [{}, 'pipeline.yaml', 'mixdown.lock'],
    [{profile: ['a', 'b']}, 'pipeline.yaml', 'mixdown.a+b.lock'],
    [{profile: ['../a']}, 'pipeline.yaml', 'mixdown..._a.lock'],
    [{}, 'audioset.yaml', 'audioset.mixdown.lock'],
    [{set: ['folds=[1]'], lock: 'ci.lock'}, 'pipeline.yaml', 'ci.lock'],
    [{directory: 'sub', lock: 'ci.lock'}, 'pipeline.yaml', 'sub/ci.lock'],
  ])('with %j for %s is %s', (globals, pipeline, name) => {
    expect(pinFileOf(wish(globals), {root, file: join(root, pipeline)})).toBe(join(root, name));
  });

  it('with --set is none', () => {
    expect(pinFileOf(wish({set: ['folds=[1]']}), {root, file: join(root, 'pipeline.yaml')})).toBeUndefined();
  });
});

describe('readPins', () => {
  it('reads the file, is undefined without one, and tells trouble with its path for people', () => {
    const project = {root, file: join(root, 'pipeline.yaml')};
    expect(readPins(wish(), project)).toEqual({ok: true, value: undefined});
    const pins = {targets: ['tables'], nodes: new Map()};
    writeFileSync(join(root, 'mixdown.lock'), pinsText(pins));
    expect(readPins(wish(), project)).toEqual({ok: true, value: pins});
    expect(readPins(wish({set: ['a=1']}), project)).toEqual({ok: true, value: undefined});
    writeFileSync(join(root, 'mixdown.lock'), '<<<<<<< HEAD\n');
    const read = readPins(wish(), project);
    expect(read).toMatchObject({ok: false, error: [{diagnostics: [{range: {file: 'mixdown.lock', line: 1}}]}]});
    const folder = readPins(wish({lock: '.'}), project);
    expect(folder).toMatchObject({ok: false, error: [{code: 'lock-invalid'}]});
  });
});
