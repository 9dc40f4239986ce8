import {describe, expect, test} from 'vitest';
import {buildGraph} from '../../../src/core/graph.ts';
import {nodeSeed} from '../../../src/core/seed.ts';
import {pipelineOf, project, stage} from './support.ts';

const file = (name: string) => `{kind: 'file', name: '${name}', about: 'x'}`;
const one = (kind: string) => `{kind: '${kind}', about: 'x'}`;

/** Section 5 of the design, completed where it is only a sketch. */
const example = project.bind(undefined, {
  'stages/resample-trim.ts': stage('resample-trim', {
    params: `{sampleRate: {type: 'integer', about: 'Hz'}, trimDb: {type: 'number', about: 'dB'}}`,
    inputs: `{clip: ${one('file')}}`,
    outputs: `{waveform: ${file('waveform.wav')}}`,
  }),
  'stages/log-mel.ts': stage('log-mel', {
    params: `{bands: {type: 'integer', about: 'bands'}}`,
    inputs: `{waveform: ${one('file')}}`,
    outputs: `{patches: ${file('patches.npy')}}`,
  }),
  'stages/segments.ts': stage('segments', {
    params: `{length: {type: 'integer', about: 'patches'}}`,
    inputs: `{patches: ${one('tree')}}`,
    outputs: `{features: ${file('features.npy')}}`,
  }),
  'stages/folds.ts': stage('folds', {
    inputs: `{clips: ${one('tree')}}`,
    outputs: `{split: ${file('split.csv')}}`,
    more: 'seeded: true,',
  }),
  'stages/train.ts': stage('train', {
    params: `{fold: {type: 'integer', about: 'fold'}, levels: {type: 'string', about: 'levels'}, learningRate: {type: 'number', about: 'rate'}}`,
    inputs: `{features: ${one('file')}, split: ${one('file')}}`,
    outputs: `{predictions: ${file('predictions.csv')}}`,
    more: 'seeded: true, numericBackend: true,',
  }),
  'stages/ensemble.ts': stage('ensemble', {
    inputs: `{predictions: {kind: 'file', many: true, about: 'per fold'}}`,
    outputs: `{predictions: ${file('ensemble.csv')}}`,
  }),
  'stages/tables.ts': stage('tables', {
    inputs: `{predictions: {kind: 'file', many: true, about: 'per level combination'}}`,
    outputs: `{table: {kind: 'file', name: 'table.md', display: true, about: 'x'}}`,
  }),
  'plot.gp': 'plot\n',
  'pipeline.yaml': `# yaml-language-server: $schema=./schemas/pipeline.schema.json
version: 1
vars: {folds: [1, 2, 3, 4, 5], segments: 6, alpha: 0.2, dataset: demo}
profiles:
  dcase2018: {vars: {dataset: fsdkaggle2018}, sources: {clips: data/FSDKaggle2018/audio_train}}
sources:
  clips: {path: data/demo/audio, include: '**/*.wav'}
  plot-script: plot.gp
nodes:
  waveforms: {stage: resample-trim, each: clips, params: {sampleRate: 16000, trimDb: 60}}
  log-mel:   {stage: log-mel, each: waveforms, params: {bands: 64}}
  segments:  {stage: segments, inputs: {patches: log-mel}, params: {length: '\${vars.segments}'}}
  folds:     {stage: folds, inputs: {clips: waveforms}}
  train:
    stage: train
    matrix: {fold: '\${vars.folds}', levels: [h1, h2, h3, h1+h2, h1+h3, h2+h3, h1+h2+h3]}
    inputs: {features: 'segments.features', split: 'folds.split'}
    params: {fold: '\${matrix.fold}', levels: '\${matrix.levels}', learningRate: 0.001}
    resources: {gpu: 1, gpuMemoryMiB: 2048, whenNoGpu: cpu}
    timeout: 2h
    retries: 1
  ensemble:
    stage: ensemble
    matrix: {levels: '\${train.levels}'}
    inputs: {predictions: 'train[fold=*,levels=\${matrix.levels}].predictions'}
  tables: {stage: tables, inputs: {predictions: 'ensemble[*]'}}
  figure: {command: [gnuplot, plot.gp], inputs: {plot.gp: plot-script, table.md: tables}, outputs: {plot: plot.svg}}
targets: {default: [tables], audioset: ['train[levels=h1]', figure]}
`,
});

describe('the example of the design', () => {
  test('expands to nodes with their edges', async () => {
    const pipeline = await example().pipeline();
    expect(pipeline.nodes).toHaveLength(4 + 35 + 7 + 1 + 1);
    const {order} = buildGraph(pipeline.nodes);
    expect(order).toHaveLength(48);
    expect(pipeline.targets['default']).toEqual(['tables']);
    expect(pipeline.targets['audioset']).toEqual(
      [1, 2, 3, 4, 5].map((fold) => `train[fold=${fold},levels=h1]`).concat('figure'),
    );
    expect(pipeline.axes['train']).toEqual({
      fold: [1, 2, 3, 4, 5],
      levels: ['h1', 'h2', 'h3', 'h1+h2', 'h1+h3', 'h2+h3', 'h1+h2+h3'],
    });
    expect(pipeline.axes['tables']).toEqual({});
    expect(Object.keys(pipeline.stages).sort()).toEqual([
      'command',
      'ensemble',
      'folds',
      'log-mel',
      'resample-trim',
      'segments',
      'tables',
      'train',
    ]);
  });

  test('gives each train node what its variant says', async () => {
    const {nodes} = await example().pipeline();
    expect(nodes.find(({id}) => id === 'train[fold=2,levels=h1+h3]')).toMatchObject({
      name: 'train',
      variant: {fold: 2, levels: 'h1+h3'},
      stage: 'train',
      params: {fold: 2, levels: 'h1+h3', learningRate: 0.001},
      seed: nodeSeed(1, 'train', {fold: 2, levels: 'h1+h3'}),
      inputs: {
        features: {many: false, ref: {from: 'node', node: 'segments', output: 'features'}},
        split: {many: false, ref: {from: 'node', node: 'folds', output: 'split'}},
      },
      resources: {cpu: 1, gpu: 1, gpuMemoryMiB: 2048, whenNoGpu: 'cpu'},
      timeoutMs: 7_200_000,
      retries: 1,
      range: {file: 'pipeline.yaml', line: 14, column: 3},
    });
  });

  test('slices collections and fans in in matrix order', async () => {
    const {nodes, sources} = await example().pipeline();
    const find = (id: string) => nodes.find((node) => node.id === id);
    expect(find('waveforms')?.each).toEqual([{port: 'clip', collection: {from: 'source', source: 'clips'}}]);
    expect(find('log-mel')?.each).toEqual([
      {port: 'waveform', collection: {from: 'node', node: 'waveforms', output: 'waveform'}},
    ]);
    expect(find('ensemble[levels=h1+h2]')?.inputs['predictions']).toEqual({
      many: true,
      refs: [1, 2, 3, 4, 5].map((fold) => ({
        from: 'node',
        node: `train[fold=${fold},levels=h1+h2]`,
        output: 'predictions',
      })),
    });
    expect(sources['clips']).toEqual({
      name: 'clips',
      path: 'data/demo/audio',
      include: ['**/*.wav'],
      exclude: [],
      range: {file: 'pipeline.yaml', line: 7, column: 3, endLine: 7, endColumn: 8},
    });
  });

  test('takes a profile', async () => {
    const {sources} = await example().pipeline({profiles: ['dcase2018']});
    expect(sources['clips']).toMatchObject({path: 'data/FSDKaggle2018/audio_train', include: []});
  });
});

test('finds the default targets: the nodes that nobody consumes', async () => {
  const {targets} = await pipelineOf(`version: 1
nodes:
  a: {stage: make}
  b: {stage: train, matrix: {x: [1, 2]}, inputs: {features: a}, params: {fold: 1}}
  c: {stage: make}
  d: {stage: merge, inputs: {parts: 'b[x=1].model'}}
targets: {some: [a]}
`).pipeline();
  expect(targets).toEqual({some: ['a'], default: ['b[x=2]', 'c', 'd']});
});

test('replaces references anywhere, with their type where they stand alone', async () => {
  const {nodes, sources} = await pipelineOf(
    `version: 1
vars:
  root: data
  name: make
  port: features
  limits: {count: 4, list: [10, 20]}
  label: '\${vars.name}-\${vars.limits.list.1}'
sources:
  files: {path: '\${vars.root}/files', include: ['\${vars.name}.txt']}
nodes:
  a: {stage: '\${vars.name}', params: {count: '\${vars.limits.count}', label: '\${vars.label}, $\${literal} and $5'}}
  b: {stage: train, matrix: {x: [1, two]}, inputs: {features: '\${vars.from}'}, params: {fold: 1, sizes: '\${vars.limits.list}', levels: 'x=\${matrix.x}'}, salt: 'v\${matrix.x}'}
  c: {stage: refine, each: '\${vars.source}'}
vars2: null
`
      .replace('vars2: null\n', '')
      .replace('  label:', '  from: a.out\n  source: files\n  label:'),
  ).pipeline();
  expect(nodes.map(({params}) => params)).toEqual([
    {count: 4, label: 'make-20, ${literal} and $5'},
    {fold: 1, sizes: [10, 20], levels: 'x=1'},
    {fold: 1, sizes: [10, 20], levels: 'x=two'},
    {rate: 0.5},
  ]);
  expect(nodes.map(({salt}) => salt)).toEqual(['', 'v1', 'vtwo', '']);
  expect(sources['files']).toMatchObject({path: 'data/files', include: ['make.txt']});
});

test('keeps values with odd characters one value, in ids and in selectors', async () => {
  const {nodes} = await pipelineOf(`version: 1
nodes:
  a: {stage: make}
  b: {stage: train, matrix: {x: ['1,2', 'a]b', '*', 'c d', '']}, inputs: {features: a}, params: {fold: 1}}
  c: {stage: merge, matrix: {x: '\${b.x}'}, inputs: {parts: 'b[x=\${matrix.x}].model'}}
  d: {stage: merge, inputs: {parts: ['b[x="1,2"].model', 'b[x="*"].model']}}
`).pipeline();
  const parts = nodes.filter(({name}) => name === 'c').map(({inputs}) => inputs['parts']);
  expect(parts).toEqual(
    ['"1,2"', '"a]b"', '"*"', '"c d"', '""'].map((x) => ({
      many: true,
      refs: [{from: 'node', node: `b[x=${x}]`, output: 'model'}],
    })),
  );
  expect(nodes.at(-1)?.inputs['parts']).toMatchObject({refs: [{node: 'b[x="1,2"]'}, {node: 'b[x="*"]'}]});
});

test('reads times, resources, seeds and salts', async () => {
  const {nodes} = await pipelineOf(`version: 1
seed: 7
salt: run
vars: {cores: 4, seeds: [5, 6]}
nodes:
  a: {stage: make, timeout: 1.5, resources: {cpu: '\${vars.cores}'}}
  b: {stage: make, timeout: 90s, salt: node}
  c: {stage: train, matrix: {s: '\${vars.seeds}'}, inputs: {features: a}, params: {fold: 1}, seed: '\${matrix.s}', timeout: 250ms}
  d: {stage: train, inputs: {features: a}, params: {fold: 1}, resources: {gpu: 0.5, memoryMiB: 100, whenNoGpu: fail}}
`).pipeline();
  expect(nodes.map(({timeoutMs}) => timeoutMs)).toEqual([1500, 90_000, 250, 250, undefined]);
  expect(nodes.map(({seed}) => seed)).toEqual([0, 0, 5, 6, nodeSeed(7, 'd', {})]);
  expect(nodes.map(({salt}) => salt)).toEqual(['run', '["run","node"]', 'run', 'run', 'run']);
  expect(nodes[0]?.resources).toEqual({cpu: 4, gpu: 0, whenNoGpu: 'cpu'});
  expect(nodes[4]?.resources).toEqual({cpu: 2, gpu: 0.5, memoryMiB: 100, whenNoGpu: 'fail'});
});

test('expands include, exclude and when from the file', async () => {
  const {nodes, axes} = await pipelineOf(`version: 1
vars: {keep: [1, 3]}
nodes:
  a:
    stage: make
    matrix:
      x: [1, 2, 3]
      y: [p, q]
      exclude: [{x: 3, y: q}]
      when: [{x: '\${vars.keep}', y: p}, {y: q}]
      include: [{y: r, x: 9}]
  b: {stage: make, matrix: {x: 4}}
  c: {stage: merge, inputs: {parts: []}}
`).pipeline();
  expect(nodes.map(({id}) => id)).toEqual([
    'a[x=1,y=p]',
    'a[x=1,y=q]',
    'a[x=2,y=q]',
    'a[x=3,y=p]',
    'a[x=9,y=r]',
    'b[x=4]',
    'c',
  ]);
  expect(axes['a']).toEqual({x: [1, 2, 3, 9], y: ['p', 'q', 'r']});
});

test('uses the stages of the installation after those of the project', async () => {
  const mine = project({'pipeline.yaml': 'version: 1\nnodes: {a: {stage: make}, b: {stage: far}}\n'});
  const installed = project({
    'stages/far.ts': stage('far', {outputs: `{o: ${file('o')}}`}),
    'stages/make.ts': 'export default 0;\n',
  });
  const {loadPipeline} = await import('../../../src/config/load-pipeline.ts');
  const {root, cacheDir} = mine;
  const result = await loadPipeline({
    root,
    file: `${root}/pipeline.yaml`,
    profiles: [],
    overrides: [],
    cacheDir,
    packageRoot: installed.root,
  });
  expect(result.ok && result.value.pipeline.stages['far']).toMatchObject({
    file: 'mixdown/stages/far.ts',
    manifest: {files: {'mixdown/stages/far.ts': expect.any(String) as string}},
  });
  expect(result.ok && result.value.pipeline.stages['make']).toMatchObject({file: 'stages/make.ts'});
});
