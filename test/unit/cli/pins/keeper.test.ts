import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {noGlobals} from '../../../../src/cli/context.ts';
import {loadProject, type Loaded} from '../../../../src/cli/load.ts';
import {keepPins, type KeepRequest} from '../../../../src/cli/pins/keeper.ts';
import {planNodes, type PlannedWork} from '../../../../src/cli/planning.ts';
import {sha256} from '../../../../src/core/digest.ts';
import {parsePins} from '../../../../src/pins/pins-text.ts';

const names = ['p', 'q', 'r', 's'];
let root: string;
let loaded: Loaded;
let work: PlannedWork;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'mixdown-keeper-'));
  const nodes = names.map((name) => `  ${name}: {command: [echo, ${name}], outputs: {o: o}}`);
  writeFileSync(join(root, 'pipeline.yaml'), `version: 1\nnodes:\n${nodes.join('\n')}\n`);
  const read = await loadProject({io: {cwd: root, env: {}}, globals: noGlobals});
  if (!read.ok) throw new Error(read.error[0]?.message);
  loaded = read.value;
  const planned = await planNodes({warn: () => {}}, loaded, names);
  if (!planned.ok) throw new Error(planned.error[0]?.message);
  work = planned.value;
});
afterEach(() => {
  work.workspace.close();
  rmSync(root, {recursive: true, force: true});
});

/** As after a run of these nodes, each of which made the text. */
function after(made: readonly string[], text: string, rest: Partial<KeepRequest> = {}): KeepRequest {
  const path = join(root, 'mixdown.lock');
  return {
    loaded,
    work,
    lock: {path, shown: 'mixdown.lock'},
    resultOf: (node) =>
      made.includes(node)
        ? {outputs: {o: {kind: 'file', digest: {hash: sha256(text), size: 1}}}, metrics: {}, fingerprint: sha256(node)}
        : undefined,
    accept: new Map(),
    ...rest,
  };
}

function pinned(): Record<string, unknown> {
  const pins = parsePins(readFileSync(join(root, 'mixdown.lock'), 'utf8'), 'mixdown.lock');
  if (!pins.ok) throw new Error(pins.error[0]?.message);
  return Object.fromEntries([...pins.value.nodes].map(([id, {outputs}]) => [id, outputs['o']?.hash]));
}

describe('keepPins', () => {
  it('makes no lock that nobody asked for', async () => {
    expect(await keepPins(after(names, 'x'))).toEqual({ok: true, value: undefined});
    expect(readdirSync(root)).not.toContain('mixdown.lock');
  });

  it('keeps what others pin at the same time', async () => {
    await keepPins(after([], 'x', {targets: ['default']}));
    expect(pinned()).toEqual({});
    const kept = await Promise.all(names.map((name) => keepPins(after([name], name))));
    expect(kept.every(({ok}) => ok)).toBe(true);
    expect(pinned()).toEqual(Object.fromEntries(names.map((name) => [name, sha256(name)])));
  });

  it('knows a lock and results that it has seen, and looks again when either differs', async () => {
    await keepPins(after(names, 'x', {targets: ['default']}));
    expect(await keepPins(after(names, 'x'))).toEqual({ok: true, value: 'settled'});
    expect(await keepPins(after(names, 'y'))).toMatchObject({ok: true, value: {written: false}});
    // What drifted is told each time.
    const again = await keepPins(after(names, 'y'));
    expect(again.ok && again.value !== 'settled' && again.value?.drifted.map(({node}) => node)).toEqual(names);
    expect(await keepPins(after(names, 'x'))).toEqual({ok: true, value: 'settled'});
    const path = join(root, 'mixdown.lock');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^ {2}"q":\n(?: {4}.*\n)*/m, ''));
    expect(await keepPins(after(names, 'x'))).toMatchObject({ok: true, value: {written: true, pinned: ['q']}});
    rmSync(join(root, 'runs'), {recursive: true, force: true});
    expect(await keepPins(after(names, 'x'))).toMatchObject({ok: true, value: {written: false, pinned: []}});
  });

  it('leaves a lock that cannot be read as it is', async () => {
    writeFileSync(join(root, 'mixdown.lock'), '<<<<<<< HEAD\n');
    expect(await keepPins(after(names, 'x'))).toMatchObject({ok: false, error: [{code: 'lock-invalid'}]});
    expect(readFileSync(join(root, 'mixdown.lock'), 'utf8')).toBe('<<<<<<< HEAD\n');
  });
});
