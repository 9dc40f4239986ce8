import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {Failure} from '../../src/core/failure.ts';
import {openStore, type Store} from '../../src/store/store.ts';

/** An empty folder that is removed when the test is over. */
export function tempFolder(base = tmpdir()): string {
  const folder = mkdtempSync(join(base, 'mixdown-test-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

export interface OpenedStore extends Store {
  readonly warnings: Failure[];
}

/** A store in `dir` that is closed when the test is over. */
export function openedStore(dir: string, what = 'a test'): OpenedStore {
  const warnings: Failure[] = [];
  const opened = openStore({dir, what, warn: (problem) => warnings.push(problem)});
  if (!opened.ok) throw new Error(opened.error[0]?.message);
  onTestFinished(() => opened.value.close());
  return {...opened.value, warnings};
}
