import {cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {sharedData} from '../support/shared-data.ts';
import {Workspace} from '../support/workspace.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
/** Two folds and two variants: everything the whole pipeline has, in a fraction of its time. */
const small = ['--set', 'folds=[1,2]', '--set', 'variants=["h1","h1+h2"]'];

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  cpSync(join(repository, 'pipeline.yaml'), workspace.path('pipeline.yaml'));
  cpSync(join(repository, 'stages'), workspace.path('stages'), {recursive: true});
  symlinkSync(join(repository, 'node_modules'), workspace.path('node_modules'));
});
afterEach(() => {
  workspace.dispose();
});

/** Builds; gives how many jobs ran for each node name, slices counted one by one. */
async function build(...args: string[]): Promise<Record<string, number>> {
  const {code, stdout, stderr} = await workspace.run('run', '--json', ...small, ...args);
  // The first is said once in a new store, the second of fine-tuned extractors.
  const said = stderr
    .replace(/^trying the tensor engine [a-z-]+, once on this machine\n/, '')
    .replace(/^leak accepted: [^\n]* read what `fine-tune` learned [^\n]*\n/, '');
  expect({code, stderr: said}).toEqual({code: 0, stderr: ''});
  const jobs: Record<string, number> = {};
  for (const line of stdout.trim().split('\n')) {
    const event = JSON.parse(line) as Event;
    if (event.type !== 'node-finished' || event.outcome !== 'executed') continue;
    const name = event.node.replace(/\[.*/, '');
    jobs[name] = (jobs[name] ?? 0) + (event.slices?.executed ?? 1);
  }
  return jobs;
}

/** MAP@3 of each variant in the results table. */
function scores(): Record<string, number> {
  const [header = '', ...rows] = workspace.read('runs/latest/out/tables/results.csv').trim().split('\n');
  const column = header.split(',').indexOf('map3');
  expect(column).toBeGreaterThan(0);
  return Object.fromEntries(rows.map((row) => [row.split(',')[0]!, Number(row.split(',')[column])]));
}

const mine = ['--profile', 'recordings', '--set', 'data=sounds'];

/** Makes the demo's clips and labels a folder of recordings; gives the paths of the clips. */
async function copyDemoOut(): Promise<readonly string[]> {
  await build();
  mkdirSync(workspace.path('sounds'));
  expect((await workspace.run('show', 'demo.clips', '--to', 'sounds/audio', ...small)).code).toBe(0);
  expect((await workspace.run('show', 'demo.labels', '--to', 'sounds/labels.csv', ...small)).code).toBe(0);
  return readdirSync(workspace.path('sounds/audio'))
    .sort()
    .map((name) => `sounds/audio/${name}`);
}

describe('the audio pipeline', () => {
  it('builds the demo from nothing to a table that beats chance, then nothing', async () => {
    const jobs = await build();
    expect(jobs).toMatchObject({demo: 1, folds: 1, pca: 2, segments: 2, train: 4, ensemble: 2, metrics: 2, tables: 1});
    expect(jobs['waveforms']).toBeGreaterThan(80);
    expect(jobs['quantized']).toBe(2 * jobs['waveforms']!);
    expect(jobs['copies'] ?? 0).toBe(0);
    const map3 = scores();
    expect(Object.keys(map3)).toEqual(['h1', 'h1+h2']);
    // Chance is 0.153 with twelve classes.
    for (const score of Object.values(map3)) expect(score).toBeGreaterThan(0.35);
    expect(await build()).toEqual({});
  });

  it('runs one slice a stage for one changed recording, and no other', async () => {
    const [first = ''] = await copyDemoOut();
    // The same bytes as the demo's, read from a folder.
    expect(await build(...mine)).toEqual({});
    const clip = workspace.path(first);
    const bytes = readFileSync(clip);
    const middle = bytes.length >> 1;
    bytes[middle] = bytes[middle]! ^ 1;
    writeFileSync(clip, bytes);
    const jobs = await build(...mine);
    expect(jobs).toMatchObject({waveforms: 1, 'log-mel': 1, embeddings: 1, pca: 2, train: 4, tables: 1});
    expect(jobs['folds']).toBe(1);
  });

  it('names every bad recording at once, or goes on without them', async () => {
    const [first = '', second = '', third = ''] = await copyDemoOut();
    await build(...mine);
    writeFileSync(workspace.path(first), '');
    writeFileSync(workspace.path(second), 'a shopping list\n');
    writeFileSync(workspace.path(third), readFileSync(workspace.path(third)).subarray(0, 100));
    const {code, stdout} = await workspace.run('run', 'folds', ...mine);
    expect(code).toBe(1);
    expect(stdout).toContain('3 of 114 clips are bad');
    for (const [clip, reason] of [
      [first, 'empty'],
      [second, 'text'],
      [third, 'truncated'],
    ] as const) {
      const key = basename(clip, '.wav');
      expect(stdout).toMatch(new RegExp(`${key}: .*${reason}`));
    }
    const jobs = await build(...mine, '--set', 'onBadClip=skip');
    expect(jobs).toMatchObject({'clip-report': 1, folds: 1, tables: 1});
    expect(jobs['log-mel'] ?? 0).toBe(0);
    expect(workspace.read('runs/latest/out/tables/results.csv')).toContain('h1+h2');
  });

  it('adds pitch-shifted copies and mixed examples without touching the recordings', async () => {
    await build();
    const augmented = ['--set', 'variants=["F-h1","F-h1+h2"]'];
    const jobs = await build(...augmented, '--set', 'copies=10');
    expect(jobs['waveforms']).toBeUndefined();
    expect(jobs['pca']).toBeUndefined();
    expect(jobs).toMatchObject({augmentation: 1, segments: 2, mixup: 2, train: 4, tables: 1});
    const copied = jobs['copies']!;
    expect(copied).toBeGreaterThan(5);
    expect(jobs['log-mel']).toBeGreaterThanOrEqual(copied);
    const more = await build(...augmented, '--set', 'copies=11');
    // A clip whose shifts are the same as before keeps its copies.
    expect(more['copies']).toBeLessThan(copied);
  });

  const real = sharedData('fsdkaggle2018-clips');
  it.skipIf(real === undefined)('runs on real recordings and beats chance clearly', async () => {
    await build('--profile', 'fsdkaggle2018', '--set', `fsdkaggle2018=${real}`);
    // Chance is 0.183 with ten classes.
    for (const score of Object.values(scores())) expect(score).toBeGreaterThan(0.4);
  });

  const yamnet = sharedData('yamnet');
  it.skipIf(real === undefined || yamnet === undefined)(
    'tells real recordings apart with a pretrained extractor',
    async () => {
      const here = ['--profile', 'fsdkaggle2018', '--profile', 'yamnet'];
      const places = ['--set', `fsdkaggle2018=${real}`, '--set', `yamnet=${yamnet}`];
      const jobs = await build(...here, ...places);
      expect(jobs).toMatchObject({'yamnet-weights': 1, embeddings: 150, tables: 1});
      // Random weights give about 0.6 for two folds.
      for (const score of Object.values(scores())) expect(score).toBeGreaterThan(0.7);
    },
  );

  it('classifies by an extractor that was fine-tuned to the clips', async () => {
    const tuned = ['extractors', 'ensembles'].flatMap((name) => ['--set', `${name}=["balanced-last"]`]);
    const jobs = await build(...tuned, '--set', 'group=balanced-last', '--set', 'nodes.fine-tune.params.epochs=6');
    expect(jobs).toMatchObject({'fine-tune': 1, tables: 1});
    for (const score of Object.values(scores())) expect(score).toBeGreaterThan(0.3);
  });
});
