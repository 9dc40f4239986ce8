import {fingerprintOf, type Action, type ActionResult} from '../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../src/core/digest.ts';
import type {Artifact} from '../../src/core/tree.ts';

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

/** A result with just the outputs that its action declares. */
export function aResult(
  outputs: Readonly<Record<string, Artifact>> = {patches: aFile(digestOf('patches'))},
  about: Action = anAction(),
  change: Partial<ActionResult> = {},
): ActionResult {
  const declared = Object.entries(outputs).map(([name, {kind}]) => [name, {kind, name}] as const);
  const action = {...about, outputs: Object.fromEntries(declared)};
  return {
    type: 'action-result/1',
    fingerprint: fingerprintOf(action),
    action,
    outputs,
    metrics: {loss: 0.25},
    execution: {
      runId: '20250301-101500-3e7ab',
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
