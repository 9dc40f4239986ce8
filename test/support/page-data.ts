import type {Outcome} from '../../src/core/plan.ts';
import type {PageData, PageNode, PageOutput, PageResult, PageSpan} from '../../src/report/page-data.ts';

/** Text that would be trouble if any part of the page took it for HTML, a script or its end. */
export const HOSTILE = '</script><img src=x onerror="document.title=\'broken\'"> & <b>';

/** A run with a node of every outcome and a result of every kind, and text that means harm in each place for text. */
export function pageData(): PageData {
  const nodes = [...training(), ...ends()];
  return {
    type: 'page/1',
    project: 'sounds',
    run: {
      id: '20261123-010203-0a1b2',
      command: 'mixdown run --keep-going',
      outcome: 'failed',
      startedAt: '2026-11-23T01:02:03.000Z',
      wallMs: 65_000,
      counts: countOutcomes(nodes),
      targets: ['tables'],
      seed: 2018,
      jobs: 2,
      host: 'studio',
      environment: [
        ['mixdown', '0.1.0'],
        ['node', '20.20.0'],
        ['text', HOSTILE],
      ],
      savedMs: 125_000,
    },
    nodes,
    groups: [
      {name: 'features', stage: 'log-mel', nodes: ['features'], axes: {}, reads: ['source:clips']},
      {
        name: 'train',
        stage: 'train',
        nodes: nodes.filter(({name}) => name === 'train').map(({id}) => id),
        axes: {fold: ['1', '2', '10'], levels: ['h1', 'h1+h2'], extractor: ['original']},
        reads: ['features', 'source:labels'],
      },
      {name: 'tables', stage: 'tables', nodes: ['tables'], axes: {}, reads: ['train']},
      {name: 'figure', stage: 'command', nodes: ['figure'], axes: {}, reads: ['tables']},
    ],
    sources: [
      {name: 'clips', path: 'data/clips', bytes: 4_096_000, files: 12, hash: hash(1)},
      {name: 'labels', path: 'data/labels.csv', bytes: 512, hash: hash(2)},
    ],
    stages: ['log-mel', 'train', 'tables'].map((name, at) => ({
      name,
      summary: `What ${name} does.`,
      code: hash(10 + at),
      files: [
        {path: `stages/${name}.ts`, hash: hash(20 + at)},
        {path: 'stages/lib/formats/npy.ts', hash: hash(30)},
      ],
      packages: name === 'train' ? {'ml-matrix': '6.15.1'} : {},
    })),
    results: results(),
    timeline: {
      endMs: 65_000,
      lanes: [
        {name: 'cpu, lane 1', spans: spans(['features', 'train[fold=1,levels=h1]', 'tables'], 0, 20_000)},
        {name: 'gpu 0', spans: spans(['train[fold=2,levels=h1]', 'train[fold=10,levels=h1]'], 15_000, 21_000)},
      ],
      criticalPath: ['features', 'train[fold=2,levels=h1]', 'tables'],
    },
    changes: {
      since: '20261122-101010-ffffe',
      metrics: [
        {node: 'train[fold=1,levels=h1]', metric: 'map3', before: 0.5, after: 0.51},
        {node: 'train[fold=2,levels=h1]', metric: 'map3', before: 0.6, after: 0.52},
        {node: 'train[fold=10,levels=h1]', metric: 'map3', before: null, after: 0.6},
      ],
      added: ['figure'],
      removed: ['old-figure'],
    },
  };
}

/** A run of many nodes: one name with all of them over two axes, each with a metric, an output and a span. */
export function largePageData(count: number): PageData {
  const small = pageData();
  const features = small.nodes.filter(({name}) => name === 'features');
  const made = Array.from({length: count - 2}, (_, at): PageNode => {
    const [fold, levels] = [String(at % 50), `h${Math.floor(at / 50)}`];
    return {...trained(fold, levels, at % 9 === 0 ? 'cached' : 'executed'), metrics: {map3: (at % 997) / 997}};
  });
  const tables: PageNode = {
    ...plain('tables', 'tables', 'executed'),
    inputs: made.map(({id}) => ({port: 'predictions', from: 'node', node: id, output: 'predictions'})),
    outputs: [{output: 'markdown', file: 'results.md', bytes: 100, hash: hash(5)}],
  };
  const nodes = [...features, ...made, tables];
  return {
    ...small,
    run: {...small.run, counts: countOutcomes(nodes)},
    nodes,
    groups: small.groups.flatMap((group) => {
      if (group.name === 'figure') return [];
      return group.name === 'train' ? [{...group, nodes: made.map(({id}) => id)}] : [group];
    }),
    timeline: {
      endMs: count * 10,
      lanes: [0, 1, 2, 3].map((lane) => ({
        name: `gpu ${lane}`,
        spans: made.flatMap(({id, outcome}, at): readonly PageSpan[] =>
          at % 4 === lane ? [{node: id, fromMs: at * 10, toMs: at * 10 + 38, outcome}] : [],
        ),
      })),
      criticalPath: made.slice(0, 100).map(({id}) => id),
    },
  };
}

function training(): readonly PageNode[] {
  const features = plain('features', 'log-mel', 'up-to-date');
  return [
    {
      ...features,
      inputs: [{port: 'clips', from: 'source', source: 'clips'}],
      outputs: [output('patches', 'patches.npy', 40)],
    },
    {...trained('1', 'h1', 'executed'), metrics: {map3: 0.51, loss: 1.25}},
    {...trained('2', 'h1', 'executed'), metrics: {map3: 0.52, loss: 1.5}},
    {...trained('10', 'h1', 'cached'), metrics: {map3: 0.6, loss: 0.75}},
    {
      ...trained('1', 'h1+h2', 'failed'),
      failure: {
        code: 'stage-failed',
        message: `The loss is not a number. ${HOSTILE}`,
        hint: 'Lower the learning rate.',
      },
      log: 'epoch 1 loss 2.5\nepoch 2 loss NaN',
      outputs: [],
    },
    {
      ...trained('2', 'h1+h2', 'cancelled'),
      failure: {code: 'cancelled', message: 'the run was stopped'},
      outputs: [],
    },
  ];
}

function ends(): readonly PageNode[] {
  return [
    {
      ...plain('tables', 'tables', 'executed'),
      reasons: ['input predictions changed', 'param digits: 2 became 3', HOSTILE],
      inputs: ['1', '2', '10'].map((fold) => ({
        port: 'predictions',
        from: 'node',
        node: `train[fold=${fold},levels=h1]`,
        output: 'predictions',
      })),
      outputs: [output('markdown', 'results.md', 50), {...output('figures', 'figures', 51), files: 3}],
      metrics: {best: 0.6},
      slices: {total: 12, executed: 3, cached: 9, failed: 0},
    },
    {
      ...plain('figure', 'command', 'blocked'),
      inputs: [{port: 'results', from: 'node', node: 'tables', output: 'markdown'}],
    },
  ];
}

function trained(fold: string, levels: string, outcome: Outcome): PageNode {
  const id = `train[fold=${fold},levels=${levels}]`;
  return {
    ...plain('train', 'train', outcome),
    id,
    axes: {fold, levels, extractor: 'original'},
    device: 'gpu 0',
    engine: 'webgpu',
    inputs: [
      {port: 'features', from: 'node', node: 'features', output: 'patches'},
      {port: 'labels', from: 'source', source: 'labels'},
    ],
    outputs: [output('predictions', 'predictions.npy', 41 + Number(fold))],
  };
}

function plain(name: string, stage: string, outcome: Outcome): PageNode {
  const ran = outcome === 'executed' || outcome === 'failed';
  return {
    id: name,
    name,
    axes: {},
    stage,
    outcome,
    reasons: ran ? ['code changed: stages/lib/formats/npy.ts'] : [],
    ...(ran ? {wallMs: 20_000, device: 'cpu'} : {}),
    params: {learningRate: 0.001, text: HOSTILE},
    metrics: {},
    inputs: [],
    outputs: [],
    fingerprint: hash(7),
  };
}

function results(): readonly PageResult[] {
  const tables = {node: 'tables', output: 'markdown'};
  return [
    {...tables, kind: 'markdown', file: 'results.md', title: 'Results', text: MARKDOWN},
    {
      ...tables,
      kind: 'table',
      file: 'results.csv',
      title: 'Scores',
      columns: ['name', 'score', 'note'],
      rows: [
        ['fold 2', '0.61 ± 0.02', HOSTILE],
        ['fold 10', '0.5', ''],
        ['fold 1', '0.7123456789', 'best'],
      ],
      more: 4,
    },
    {...tables, kind: 'image', file: 'plot.png', title: 'Plot', src: PIXEL, alt: 'Scores of all folds'},
    ...['1', '2'].map((fold): PageResult => ({
      node: `train[fold=${fold},levels=h1]`,
      output: 'curve',
      file: 'curve.csv',
      title: `train[fold=${fold},levels=h1]: curve.csv`,
      kind: 'curve',
      x: {name: 'epoch', values: [1, 2, 3, 4]},
      lines: [
        {name: 'loss', values: [2.5, 1.5, null, 0.5 / Number(fold)]},
        {name: 'validation', values: [2.6, 2, 1.8, 1.9]},
        {name: 'step', values: [100, 200, 300, 400]},
      ],
    })),
    {
      ...tables,
      kind: 'confusion',
      file: 'confusion.csv',
      title: 'Confusion',
      classes: ['bark', 'meow', 'a class of a long name'],
      counts: [
        [8, 1, 0],
        [2, 5, 3],
        [0, 0, 0],
      ],
    },
    {
      ...tables,
      kind: 'bars',
      file: 'per-class.csv',
      title: 'Average precision by class',
      unit: 'average precision',
      bars: [
        {name: 'meow', value: 0.25},
        {name: 'bark', value: 0.9},
        {name: HOSTILE, value: 0.5},
      ],
    },
    {...tables, kind: 'text', file: 'notes.txt', title: 'Notes', text: `first line\n${HOSTILE}`, more: 10},
  ];
}

const MARKDOWN = `# Results

| Levels | MAP@3 | Note |
| :----- | ----: | ---- |
| h1 | **0.543** | a \\| bar |
| ${HOSTILE.replaceAll('|', '\\|')} | 0.5 | |

Chance level: *0.153*. [harmless](javascript:alert(1)) and [a page](https://example.org/a).
`;

/** One transparent pixel. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function spans(nodes: readonly string[], fromMs: number, wallMs: number): readonly PageSpan[] {
  return nodes.map((node, at) => ({
    node,
    fromMs: fromMs + at * wallMs,
    toMs: fromMs + (at + 1) * wallMs,
    outcome: 'executed',
  }));
}

function output(name: string, file: string, of: number): PageOutput {
  return {output: name, file, bytes: 1024 * of, hash: hash(of)};
}

function countOutcomes(nodes: readonly PageNode[]): Record<Outcome, number> {
  const counts = {'up-to-date': 0, cached: 0, executed: 0, failed: 0, blocked: 0, cancelled: 0};
  for (const {outcome} of nodes) counts[outcome]++;
  return counts;
}

function hash(of: number): string {
  return of.toString(16).padStart(2, '0').repeat(32);
}
