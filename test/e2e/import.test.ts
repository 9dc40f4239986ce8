import {execFileSync} from 'node:child_process';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.write('data/rows.txt', 'd\nb\na\nc\n');
  workspace.write(
    'src/prepare.sh',
    'mkdir -p "$2"\nhead -n "$(sed -n "s/^rows: //p" params.yaml)" "$1" > "$2/rows.txt"\n',
  );
  workspace.write('src/fit.sh', 'sort $1 data/prepared/rows.txt | head -n "$2"\n');
  workspace.write('src/done.sh', '#!/bin/sh\ntest -s total.txt\n');
  workspace.write('params.yaml', 'rows: 3\nmodels: {up: {flag: -k1, n: 2}, down: {flag: -r, n: 1}}\n');
  workspace.write(
    'dvc.yaml',
    `stages:
  prepare:
    cmd: sh src/prepare.sh data/rows.txt data/prepared
    deps: [data/rows.txt, src/prepare.sh]
    params: [rows]
    outs: [data/prepared]
  fit:
    foreach: \${models}
    do:
      cmd: sh src/fit.sh \${item.flag} \${item.n} > models/\${key}.txt
      deps: [data/prepared, src/fit.sh]
      outs: ['models/\${key}.txt']
  total:
    wdir: sums
    cmd:
      - cat ../models/up.txt ../models/down.txt > total.txt
      - ../src/done.sh
    deps: [../models/up.txt, ../models/down.txt, ../src/done.sh]
    metrics:
      - total.txt: {cache: false}
`,
  );
});
afterEach(() => {
  workspace.dispose();
});

async function ran(): Promise<readonly string[]> {
  const {code, stdout, stderr} = await workspace.run('run', '-j', '1');
  expect([code, stderr]).toEqual([0, '']);
  return [...stdout.matchAll(/\] (\S+) executed/g)].map(([, node]) => node ?? '').sort();
}

test('a pipeline of DVC becomes one that runs, and runs again only what is stale', async () => {
  const {code, stdout, stderr} = await workspace.run('import', 'dvc.yaml');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatchInlineSnapshot(`
    "wrote pipeline.yaml: 4 nodes, 5 sources

    not the same as under DVC:
    dvc.yaml:1: values that commands refer to are copied to \`vars\`: \`models\`
      by hand: change them there; files that programs read by themselves, such as params.yaml, stay as they are
    dvc.yaml:5: stage \`prepare\` watches only some values of params.yaml; the node is stale when anything in it changes
      by hand: to be exact, split the file, or pass the values as \`\${vars.…}\` in the command
    dvc.yaml:6: \`data/prepared\` is taken for a folder
      by hand: if it is a file, write: prepared: data/prepared
    dvc.yaml:7: the instances of \`fit\` are nodes of their own, with the values of \`item\` written out
      by hand: for another instance, copy a node, or import again with --force
    dvc.yaml:20: \`total.txt\` has \`cache: false\`: here it is kept in the cache and not written into the project
      by hand: read it in runs/latest/out, or copy it out: mixdown show NODE.OUTPUT --to PATH

    a command sees its inputs and nothing else: add what it also reads
    next: mixdown plan
    "
  `);
  expect(await workspace.run('validate')).toMatchObject({code: 0, stdout: 'pipeline.yaml is well: 4 nodes\n'});
  expect(await ran()).toEqual(['fit-down', 'fit-up', 'prepare', 'total']);
  expect(workspace.read('runs/latest/out/total/sums/total.txt')).toBe('a\nb\nd\n');
  expect(await ran()).toEqual([]);
  workspace.edit('pipeline.yaml', '-r, n: 1', '-r, n: 2');
  expect(await ran()).toEqual(['fit-down', 'total']);
  workspace.write('params.yaml', 'rows: 3\nother: 1\n');
  expect(await ran()).toEqual(['prepare']);
  workspace.write('params.yaml', 'rows: 4\n');
  expect(await ran()).toEqual(['fit-down', 'fit-up', 'prepare', 'total']);
});

test('nothing is overwritten without --force, and JSON says what is left to do', async () => {
  workspace.write('pipeline.yaml', 'mine\n');
  const refused = await workspace.run('import', 'dvc.yaml');
  expect(refused).toMatchObject({code: 2, stdout: ''});
  expect(refused.stderr).toContain('pipeline.yaml is here already');
  expect(workspace.read('pipeline.yaml')).toBe('mine\n');
  expect((await workspace.run('import', 'dvc.yaml', '-o', 'dvc.yaml', '--force')).code).toBe(2);
  expect((await workspace.run('import', 'none.yaml')).stderr).toContain('none.yaml cannot be read');
  const report = await workspace.json<{nodes: number; sources: number; notes: readonly {line: number}[]}>(
    'import',
    'dvc.yaml',
    '--force',
  );
  expect(report).toMatchObject({nodes: 4, sources: 5});
  expect(report.notes.map(({line}) => line)).toEqual([1, 5, 6, 7, 20]);
  expect((await workspace.run('import', 'dvc.yaml', '-o', 'new/p.yaml')).stderr).toContain('could not be written');
  workspace.write('new/notes.txt', '');
  expect((await workspace.run('import', 'dvc.yaml', '-o', 'new/p.yaml')).code).toBe(0);
  expect(workspace.read('new/p.yaml')).toContain('rows: ../data/rows.txt');
});

test('a failed command with inputs in folders can be run again from its folder', async () => {
  workspace.write('src/fit.sh', 'cat data/prepared/rows.txt; exit 3\n');
  await workspace.run('import', 'dvc.yaml');
  expect((await workspace.run('run', 'fit-up')).code).toBe(1);
  const again = () => execFileSync('sh', [workspace.path('cache/failed/fit-up/reproduce.sh')], {stdio: 'pipe'});
  expect(again).toThrow(expect.objectContaining({status: 3}) as Error);
  expect(workspace.read('cache/failed/fit-up/rerun/work/models/up.txt')).toBe('d\nb\na\n');
});
