import {mkdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {isDigest, sha256, type Digest, type Sha256} from '../core/digest.ts';
import type {Artifact} from '../core/tree.ts';
import {namesIn, writeNew} from './atomic-file.ts';
import {errorCode} from './io-failure.ts';
import {openRunStore} from './run-store.ts';
import {isArtifact, isFields, parseJson} from './validate.ts';

/** What checkouts still refer to. */
export interface Roots {
  readonly fingerprints: ReadonlySet<Sha256>;
  /** Results as remembered by a checkout, in case their record is gone. */
  readonly results: readonly {readonly artifacts: readonly Artifact[]; readonly slices?: Digest}[];
}

/**
 * Tells the store about a checkout, so that gc started in another one spares its results. Cheap when it is known already.
 *
 * @param checkouts - `layout.checkouts` of the store
 * @param runsDir - absolute
 */
export function registerCheckout(checkouts: string, runsDir: string): void {
  const file = join(checkouts, sha256(runsDir).slice(0, 16));
  if (statSync(file, {throwIfNoEntry: false}) !== undefined) return;
  try {
    mkdirSync(checkouts, {recursive: true});
    writeNew(file, runsDir);
  } catch (error) {
    // Not written: another process just did it, or the store cannot be written to, and then gc cannot run either.
    if (errorCode(error) === undefined) throw error;
  }
}

/** The `runs` folders of all registered checkouts that still exist. */
export function registeredCheckouts(checkouts: string): string[] {
  return namesIn(checkouts)
    .map((name) => readFileSync(join(checkouts, name), 'utf8'))
    .filter((runsDir) => statSync(runsDir, {throwIfNoEntry: false})?.isDirectory())
    .sort();
}

/** Everything that the run records and the state in these `runs` folders refer to. */
export function rootsOf(runsDirs: Iterable<string>): Roots {
  const fingerprints = new Set<Sha256>();
  const results: {artifacts: Artifact[]; slices?: Digest}[] = [];
  /** Takes whatever says `fingerprint` and `outputs`: a node of a run record, an event, a line of the state. */
  const add = (value: unknown): void => {
    if (!isFields(value)) return;
    const {fingerprint, outputs, slices} = value;
    if (typeof fingerprint === 'string') fingerprints.add(fingerprint as Sha256);
    const artifacts = isFields(outputs) ? Object.values(outputs).filter(isArtifact) : [];
    if (artifacts.length > 0) results.push({artifacts, ...(isDigest(slices) ? {slices} : {})});
  };
  for (const runsDir of runsDirs) {
    for (const state of lastStates(join(runsDir, 'state.ndjson'))) add(state);
    const runs = openRunStore(runsDir);
    for (const id of runs.list()) {
      const run = runs.open(id);
      const record = parseJson(run?.read('run.json') ?? '');
      const nodes = isFields(record) && isFields(record['nodes']) ? Object.values(record['nodes']) : [];
      nodes.forEach(add);
      // A run that was killed, or still goes on, has its results in its events only.
      if (!isFields(record) || record['outcome'] === 'running') run?.readLines('events.ndjson').forEach(add);
    }
  }
  return {fingerprints, results};
}

/** The journal's last line of each node; earlier ones refer to results that the checkout has moved on from. */
function lastStates(file: string): Iterable<unknown> {
  const last = new Map<unknown, unknown>();
  for (const line of textLines(file)) {
    const state = parseJson(line);
    if (!isFields(state)) continue;
    // What a rewrite carried over may be older or younger than the node's other lines: both count here.
    if (isFields(state['late'])) last.set(line, state['late']);
    else last.set(state['node'], state);
  }
  return last.values();
}

function textLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
