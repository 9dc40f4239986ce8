import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {fingerprintOf, type Action, type ActionResult} from '../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../src/core/digest.ts';
import type {Failure} from '../../src/core/failure.ts';
import type {Artifact} from '../../src/core/tree.ts';
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

export function anAction(change: Partial<Action> = {}): Action {
  return {
    type: 'action/1',
    stage: 'log-mel',
    code: sha256('code'),
    params: {bands: 64},
    seed: 0,
    inputs: {waveform: digestOf('a waveform')},
    outputs: {patches: {kind: 'file', name: 'patches.npy'}},
    toolchain: {node: '20'},
    salt: '',
    ...change,
  };
}

export function aResult(
  outputs: Readonly<Record<string, Artifact>> = {patches: aFile(digestOf('patches'))},
  action: Action = anAction(),
  change: Partial<ActionResult> = {},
): ActionResult {
  return {
    type: 'action-result/1',
    fingerprint: fingerprintOf(action),
    action,
    outputs,
    metrics: {loss: 0.25},
    execution: {
      runId: '20250301-101500-ab12',
      startedAt: 1_740_824_100_000,
      wallMs: 12,
      cpuMs: 11,
      maxRssBytes: 1e8,
      device: 'cpu',
      host: 'here',
    },
    ...change,
  };
}

export function aFile(digest: Digest): Artifact {
  return {kind: 'file', digest};
}
