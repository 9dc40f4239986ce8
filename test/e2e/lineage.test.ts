import {chmodSync, copyFileSync, cpSync, mkdirSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Lineage} from '../../src/core/lineage.ts';
import {errorsOf} from '../support/schemas.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = new Workspace(toyProject);
  workspace.edit('pipeline.yaml', 'default: [report]', 'default: [report, counts]');
  await workspace.run('run', '--quiet');
});
afterEach(() => workspace.dispose());

const report = 'runs/latest/out/report/report.txt';

async function lineage(what: string): Promise<Lineage> {
  const found = await workspace.json<Lineage>('lineage', what);
  expect(errorsOf('lineage', found)).toEqual([]);
  return found;
}

/** A text without what differs from run to run. */
function settled(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{5}/g, 'RUN')
    .replaceAll(/, [\d.]+ m?s on cpu, [^ \n]+/g, ', SPAN on cpu, HOST')
    .replaceAll(/code [0-9a-f]{12}/g, 'code CODE');
}

describe('lineage', () => {
  test('tells of a result what made it, down to the sources, with variants in one', async () => {
    const {stdout, code} = await workspace.run('lineage', report);
    expect(code).toBe(0);
    expect(settled(stdout)).toBe(`${report}: 6 B, sha256 6e84f0b24008
report.report: the result for the pipeline as it is now

report
│  stage command, code CODE
│  command={"argv":["sh","-c","cat parts/* > report.txt"],"env":{}}
│  ran TIME in run RUN, SPAN on cpu, HOST
└─ scaled[by=2|3], 2 variants
   │  stage scale, code CODE
   │  by=2|3
   │  ran from TIME in run RUN, SPAN on cpu, HOST
   └─ totals
      │  stage total, code CODE
      │  ran TIME in run RUN, SPAN on cpu, HOST
      └─ counts, 3 slices
         │  stage count-letters, code CODE
         │  ran TIME in run RUN, SPAN on cpu, HOST
         └─ source notes (notes), sha256 92d8cbc4f931
`);
  });

  test('knows a copy by its bytes, and one item of a folder by its slice', async () => {
    copyFileSync(workspace.path(report), workspace.path('figure.txt'));
    expect((await lineage('figure.txt')).origin).toMatchObject({node: 'report', output: 'report', age: 'current'});
    copyFileSync(workspace.path('runs/latest/out/counts/count.json/ant.json'), workspace.path('x'));
    const {origin, steps} = await lineage('x');
    expect(origin).toMatchObject({node: 'counts', output: 'count', entry: 'ant.json'});
    expect(steps).toMatchObject([
      {node: 'counts', slice: 'ant', inputs: [{from: 'source', source: 'notes', entry: 'ant.txt'}]},
    ]);
  });

  test('takes a node, an output, an entry, and a folder', async () => {
    const ids = async (what: string): Promise<unknown> => (await lineage(what)).steps.map(({node}) => node);
    expect(await ids('scaled[by=3]')).toEqual(['scaled[by=3]', 'totals', 'counts']);
    expect(await ids('totals.total')).toEqual(['totals', 'counts']);
    expect(await ids('counts.count/bee.json')).toEqual(['counts']);
    mkdirSync(workspace.path('mine'));
    cpSync(workspace.path('runs/latest/out/counts/count.json'), workspace.path('mine/counts'), {recursive: true});
    expect((await lineage('mine/counts')).origin).toMatchObject({node: 'counts', output: 'count'});
  });

  test('a file of a source is that', async () => {
    expect(await lineage('notes/ant.txt')).toMatchObject({origin: {source: 'notes', entry: 'ant.txt'}, steps: []});
  });

  test('says that a source was changed since, and that the result is an old one', async () => {
    workspace.write('notes/ant.txt', 'another');
    const {origin, steps} = await lineage(report);
    expect(origin).toMatchObject({age: 'last'});
    expect(steps.flatMap(({inputs}) => inputs.filter(({from}) => from === 'source'))).toMatchObject([
      {source: 'notes', changed: true},
    ]);
    const {stdout} = await workspace.run('lineage', report);
    expect(stdout).toContain('report.report: the last result of a node that is stale now\n');
    expect(stdout).toContain('source notes (notes), sha256 92d8cbc4f931, changed since\n');
  });

  test('says that a result was changed since a run put it there', async () => {
    chmodSync(workspace.path(report), 0o644);
    workspace.write(report, 'mine');
    const {file, digest, origin} = await lineage(report);
    expect(file?.changed?.was.digest).toEqual(digest);
    expect(file?.artifact.digest).not.toEqual(digest);
    expect(origin).toMatchObject({node: 'report'});
    expect((await workspace.run('lineage', report)).stdout).toMatch(/\nchanged since run \S+ put it there: /);
  });

  test('says so when no result has the bytes, and what is called so', async () => {
    workspace.write('elsewhere/report.txt', 'unheard of');
    const {code, stdout, stderr} = await workspace.run('lineage', 'elsewhere/report.txt');
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    expect(stderr).toContain('no result and no source has the bytes of elsewhere/report.txt, sha256 ');
    expect(stderr).toContain('; nearest by name, with other bytes: report.report [blob-missing]');
    expect(await workspace.run('lineage', 'nothing-like-it')).toMatchObject({code: 2, stdout: ''});
  });

  test('without run records it goes by the plan, and of nodes that are gone by the cache', async () => {
    copyFileSync(workspace.path(report), workspace.path('figure.txt'));
    workspace.remove('runs');
    expect((await lineage('figure.txt')).origin).toMatchObject({node: 'report', age: 'current'});
    workspace.edit('pipeline.yaml', 'cat parts/* > report.txt', 'cat parts/* > report.txt; :');
    const {origin, steps} = await lineage('figure.txt');
    expect(origin).toMatchObject({from: 'node', output: 'report', age: 'earlier'});
    expect(origin).not.toHaveProperty('node');
    expect(steps.map(({made}) => made?.stage)).toEqual(['command', 'scale', 'total', 'count-letters', 'scale']);
    expect((await workspace.run('lineage', 'figure.txt')).stdout).toMatch(/\ncommand, result \w+, node unknown\n/);
  });

  test('writes nothing but what it remembers of files', async () => {
    const kept = (): unknown => ['cache/actions', 'cache/cas', 'runs'].map((folder) => workspace.hashes(folder));
    const before = kept();
    await workspace.run('lineage', report);
    expect(kept()).toEqual(before);
  });
});
