import {describe, expect, test} from 'vitest';
import type {ActionResult} from '../../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../../src/core/digest.ts';
import type {Origin} from '../../../src/core/origin.ts';
import type {ArtifactRef} from '../../../src/core/pipeline.ts';
import {provDocument, type ProvDocument, type ProvRequest} from '../../../src/report/prov.ts';
import type {RunRecordNode} from '../../../src/report/run-record.ts';
import {errorsOf} from '../../support/schemas.ts';

const run: ProvRequest['run'] = {
  type: 'run/1',
  id: '20250301-101500-3e7ab',
  startedAt: '2025-03-01T10:15:00.000Z',
  outcome: 'done',
  command: ['mixdown', 'run'],
  seed: 1,
  host: 'a host (1)',
  versions: {mixdown: '1.2.3', node: '20.1.0'},
  targets: ['c'],
  jobs: 1,
};

const fingerprintOf = (node: string): ReturnType<typeof sha256> => sha256(`key of ${node}`);

/** Nodes by their inputs, each with one output `out` of these bytes. */
function request(
  made: Readonly<Record<string, {readonly bytes: string; readonly inputs: ActionResult['action']['inputs']}>>,
  reads: Readonly<Record<string, Readonly<Record<string, readonly ArtifactRef[]>>>> = {},
): ProvRequest {
  const results = new Map(
    Object.entries(made).map(([node, {bytes, inputs}]): [string, ActionResult] => {
      const fingerprint = fingerprintOf(node);
      const action: ActionResult['action'] = {
        type: 'action/1',
        stage: 's',
        code: sha256('code'),
        params: {rate: 1},
        seed: 0,
        inputs,
        outputs: {out: {kind: 'file', name: 'out'}},
        toolchain: {},
        salt: '',
      };
      const execution = {
        runId: '20250228-101500-3e7ab',
        startedAt: Date.parse('2025-02-28T10:15:00.000Z'),
        wallMs: 1500,
        cpuMs: 1,
        maxRssBytes: 1,
        device: 'cpu',
        host: 'other',
      };
      const outputs = {out: {kind: 'file', digest: digestOf(bytes)}} as const;
      return [fingerprint, {type: 'action-result/1', fingerprint, action, outputs, metrics: {}, execution}];
    }),
  );
  return {
    run,
    nodes: Object.fromEntries(
      Object.entries(made)
        .reverse()
        .map(([node, {bytes}]): [string, RunRecordNode] => [
          node,
          {
            outcome: 'cached',
            wallMs: 0,
            fingerprint: fingerprintOf(node),
            outputs: {out: {kind: 'file', digest: digestOf(bytes)}},
          },
        ]),
    ),
    resultOf: (fingerprint) => results.get(fingerprint),
    readsOf: (node, port) => reads[node]?.[port],
    pathOf: (source) => (source === 'notes' ? 'data/notes.txt' : undefined),
  };
}

const resultId = (node: string): string => `result:${fingerprintOf(node)}/out`;
const contentId = ({hash}: Digest): string => `sha256:${hash}`;
const source: ArtifactRef = {from: 'source', source: 'notes'};
const from = (node: string): ArtifactRef => ({from: 'node', node, output: 'out'});

function parentsOf({wasDerivedFrom}: ProvDocument, id: string): readonly unknown[] {
  return Object.values(wasDerivedFrom).flatMap((each) =>
    each['prov:generatedEntity'] === id ? [each['prov:usedEntity']] : [],
  );
}

describe('a run as PROV-JSON', () => {
  const chain = {
    a: {bytes: 'made by a', inputs: {text: digestOf('notes')}},
    b: {bytes: 'made by b', inputs: {parts: [digestOf('made by a'), digestOf('notes')]}},
  };
  const bound = request(chain, {a: {text: [source]}, b: {parts: [from('a'), source]}});
  const document = provDocument(bound);

  test('is valid, and the same whatever the order of the nodes', () => {
    expect(errorsOf('prov', document)).toEqual([]);
    const other = provDocument({...bound, nodes: Object.fromEntries(Object.entries(bound.nodes).reverse())});
    expect(JSON.stringify(other)).toBe(JSON.stringify(document));
  });

  test('leads from results to the sources, which have the names that the pipeline gives them', () => {
    expect(parentsOf(document, resultId('b'))).toEqual([resultId('a'), contentId(digestOf('notes'))]);
    expect(parentsOf(document, resultId('a'))).toEqual([contentId(digestOf('notes'))]);
    expect(document.entity[contentId(digestOf('notes'))]).toMatchObject({
      'prov:label': 'data/notes.txt',
      'mixdown:source': 'notes',
    });
    const nameless = provDocument(request(chain));
    expect(parentsOf(nameless, resultId('b'))).toEqual([resultId('a'), contentId(digestOf('notes'))]);
    expect(nameless.entity[contentId(digestOf('notes'))]).toEqual({
      'prov:type': {$: 'mixdown:Source', type: 'prov:QUALIFIED_NAME'},
      'mixdown:bytes': 5,
    });
  });

  test('says when and where an action of an earlier run was executed, and by which code', () => {
    expect(document.activity[`action:${fingerprintOf('a')}`]).toMatchObject({
      'mixdown:outcome': 'cached',
      'mixdown:params': '{"rate":1}',
      'prov:startTime': '2025-02-28T10:15:00.000Z',
      'prov:endTime': '2025-02-28T10:15:01.500Z',
    });
    expect(Object.values(document.wasAssociatedWith)).toContainEqual({
      'prov:activity': `action:${fingerprintOf('a')}`,
      'prov:agent': 'host:other',
      'prov:plan': `sha256:${sha256('code')}`,
    });
    expect(Object.values(document.wasStartedBy)).toContainEqual({
      'prov:activity': `action:${fingerprintOf('a')}`,
      'prov:starter': 'run:20250228-101500-3e7ab',
    });
    expect(Object.keys(document.agent)).toEqual(['software:mixdown@1.2.3', 'host:a%20host%20%281%29', 'host:other']);
  });

  test('tells results of the same bytes apart, and makes none its own ancestor', () => {
    const copies = {
      a: {bytes: 'same', inputs: {text: digestOf('same')}},
      b: {bytes: 'same', inputs: {text: digestOf('same')}},
    };
    const named = provDocument(request(copies, {a: {text: [source]}, b: {text: [from('a')]}}));
    expect(parentsOf(named, resultId('b'))).toEqual([resultId('a')]);
    expect(parentsOf(named, resultId('a'))).toEqual([contentId(digestOf('same'))]);
    const unknown = provDocument(request(copies));
    for (const node of ['a', 'b']) expect(parentsOf(unknown, resultId(node))).toEqual([contentId(digestOf('same'))]);
  });

  test('says who made a result elsewhere, and apart from that who took it over and vouches for it', () => {
    const borrowed = (origin: Origin): ProvDocument => {
      const resultOf: ProvRequest['resultOf'] = (fingerprint) => {
        const result = bound.resultOf(fingerprint);
        return result && {...result, borrowed: origin};
      };
      return provDocument({...bound, resultOf});
    };
    const agentsOf = ({agent, wasAssociatedWith}: ProvDocument): readonly unknown[] =>
      Object.values(wasAssociatedWith)
        .filter((each) => each['prov:activity'] === `action:${fingerprintOf('a')}`)
        .map(({'prov:agent': id, 'prov:role': role}) => ({...agent[id as string], role}))
        .slice(1);
    const vouching = {'mixdown:voucher': 'key:00ff', 'mixdown:namespace': 'main', 'mixdown:signed': true};
    const origin: Origin = {voucher: 'key:00ff', namespace: 'main', builder: {name: 'pr', commit: 'abc'}};
    const made = borrowed(origin);
    expect(errorsOf('prov', made)).toEqual([]);
    expect(agentsOf(made)).toMatchObject([{'prov:label': 'pr', 'mixdown:commit': 'abc', ...vouching}]);
    const promoted = borrowed({...origin, promotedBy: {name: 'ci'}});
    expect(errorsOf('prov', promoted)).toEqual([]);
    expect(agentsOf(promoted)).toMatchObject([
      {'prov:label': 'pr', 'mixdown:commit': 'abc', role: undefined},
      {'prov:label': 'ci', role: 'promoter', ...vouching},
    ]);
    // The maker signed nothing that lies there.
    expect(agentsOf(promoted)[0]).not.toHaveProperty('mixdown:signed');
    expect(errorsOf('prov', borrowed({voucher: 'namespace:pr-1', namespace: 'pr-1'}))).toEqual([]);
  });

  test('nodes with one key are one action; what did not run is left out; what is gone from the cache is less', () => {
    const {a} = bound.nodes;
    const nodes: ProvRequest['nodes'] = {
      a: a!,
      'a[copy=1]': a!,
      blocked: {outcome: 'blocked', wallMs: 0},
      failed: {outcome: 'failed', wallMs: 1, failure: {code: 'stage-failed', message: 'no'}},
      forgotten: {...a!, outcome: 'executed', fingerprint: sha256('gone')},
    };
    const sparse = provDocument({...bound, nodes});
    expect(errorsOf('prov', sparse)).toEqual([]);
    const {[`action:${fingerprintOf('a')}`]: twice, [`action:${sha256('gone')}`]: gone, ...rest} = sparse.activity;
    expect(twice).toMatchObject({'mixdown:node': ['a', 'a[copy=1]']});
    expect(gone).not.toHaveProperty('prov:startTime');
    expect(Object.keys(rest)).toEqual([`run:${run.id}`, 'run:20250228-101500-3e7ab', `action:${run.id}/failed`]);
    expect(Object.keys(sparse.wasGeneratedBy)).toHaveLength(2);
  });
});
