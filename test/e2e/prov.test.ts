import {spawnSync} from 'node:child_process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {ProvDocument, ProvRecord} from '../../src/report/prov.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

/** A Python that has the package of the authors of PROV-JSON; Debian's python3-prov is on that of the system only. */
const python = ['python3', '/usr/bin/python3'].find((each) => spawnSync(each, ['-c', 'import prov']).status === 0);

const follow = `
import sys
from prov.model import ProvDocument, ProvDerivation, ProvUsage, ProvGeneration, ProvActivity
document = ProvDocument.deserialize(source=sys.argv[1], format='json')
parents = {}
for derivation in document.get_records(ProvDerivation):
    values = [str(value) for _, value in derivation.formal_attributes]
    parents.setdefault(values[0], []).append(values[1])
start = next(e for e in document.get_records() if 'report.report' in [str(v) for v in e.get_attribute('prov:label')])
seen, open_ = [], [str(start.identifier)]
while open_:
    at = open_.pop()
    if at not in seen:
        seen.append(at)
        open_.extend(parents.get(at, []))
labels = sorted(str(next(iter(document.get_record(each)[0].get_attribute('prov:label')), '')) for each in seen)
print(', '.join(labels))
print(len(list(document.get_records(ProvActivity))), len(list(document.get_records(ProvUsage))), len(list(document.get_records(ProvGeneration))))
again = ProvDocument.deserialize(content=document.serialize(format='json'), format='json')
print(again == document)
`;

let workspace: Workspace;
let text: string;
let document: ProvDocument;
beforeAll(async () => {
  workspace = new Workspace(toyProject);
  await workspace.run('run', 'report', '--quiet');
  ({stdout: text} = await workspace.run('prov'));
  document = JSON.parse(text) as ProvDocument;
  workspace.write('prov.json', text);
});
afterAll(() => workspace.dispose());

const valuesOf = (section: Readonly<Record<string, ProvRecord>>): readonly ProvRecord[] => Object.values(section);

describe('the provenance of a run', () => {
  test('is the same text each time, also after a run that reused everything', async () => {
    expect((await workspace.run('prov', 'latest', '--json')).stdout).toBe(text);
    await workspace.run('run', 'report', '--quiet', '--force');
    const forced = JSON.parse((await workspace.run('prov')).stdout) as ProvDocument;
    expect(forced.wasDerivedFrom).toEqual(document.wasDerivedFrom);
  });

  test('leads from the result to the source', () => {
    const labelOf = (id: unknown): unknown => document.entity[String(id)]?.['prov:label'];
    const [report] = Object.keys(document.entity).filter((id) => labelOf(id) === 'report.report');
    const reached = new Set<unknown>([report]);
    for (const id of reached) {
      for (const each of valuesOf(document.wasDerivedFrom)) {
        if (each['prov:generatedEntity'] === id) reached.add(each['prov:usedEntity']);
      }
    }
    expect(new Set([...reached].map(labelOf))).toEqual(
      new Set(['counts.count', 'notes', 'report.report', 'scaled[by=2].scaled', 'scaled[by=3].scaled', 'totals.total']),
    );
  });

  test('names nothing that it does not have', () => {
    const known = new Set(
      [document.entity, document.activity, document.agent].flatMap((section) => Object.keys(section)),
    );
    const {prefix: _, entity: __, activity: ___, agent: ____, ...relations} = document;
    const named = Object.values(relations)
      .flatMap(valuesOf)
      .flatMap((record) => Object.entries(record).flatMap(([name, id]) => (name === 'prov:role' ? [] : [id])));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((id) => typeof id !== 'string' || !known.has(id))).toEqual([]);
  });

  test.skipIf(python === undefined)('is read by the prov package for Python, which finds the way back too', () => {
    const {status, stdout, stderr} = spawnSync(python ?? '', ['-c', follow, workspace.path('prov.json')], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      'counts.count, notes, report.report, scaled[by=2].scaled, scaled[by=3].scaled, totals.total\n6 6 5\nTrue\n',
    );
  });

  test('of a run whose results are gone says what the record says, and of no run nothing', async () => {
    workspace.remove('cache');
    workspace.remove('pipeline.yaml');
    expect(await workspace.run('prov')).toMatchObject({code: 2, stdout: ''});
    workspace.write('pipeline.yaml', 'version: 1\nnodes: 3\n');
    const {code, stdout, stderr} = await workspace.run('prov');
    expect([code, stderr]).toEqual([0, 'the pipeline cannot be read: sources have no names\n']);
    const bare = JSON.parse(stdout) as ProvDocument;
    expect(Object.keys(bare.wasGeneratedBy)).toHaveLength(5);
    expect(bare.used).toBeUndefined();
    expect(await workspace.run('prov', '1999')).toMatchObject({code: 2, stdout: ''});
  });
});
