import {expect, test} from 'vitest';
import {pipelineOf} from './support.ts';

const yaml = `version: 1
vars: {folds: [1, 2, 3], model: {width: 1, depth: 2}, label: plain}
profiles:
  small: {vars: {folds: [1], model: {width: 0.5}}, seed: 9}
  other: {vars: {model: {width: 0.25}}, sources: {clips: elsewhere}}
sources:
  clips: data/clips
  labels: {path: labels.csv, include: '*.csv'}
nodes:
  a: {stage: make, params: {label: '\${vars.label}'}}
  b:
    stage: train
    matrix: {fold: '\${vars.folds}'}
    inputs: {features: a}
    params: {fold: '\${matrix.fold}', sizes: [1, 2], levels: 'w\${vars.model.width}d\${vars.model.depth}'}
`;
const load = (overrides: readonly string[], profiles: readonly string[] = []) =>
  pipelineOf(yaml).pipeline({overrides, profiles});
const mistakes = (overrides: readonly string[], profiles: readonly string[] = []) =>
  pipelineOf(yaml).mistakes({overrides, profiles});

test('merges profiles in the order given, then overrides', async () => {
  const levels = async (...options: Parameters<typeof load>) => (await load(...options)).nodes[1]?.params['levels'];
  expect(await levels([])).toBe('w1d2');
  expect(await levels([], ['small'])).toBe('w0.5d2');
  expect(await levels([], ['small', 'other'])).toBe('w0.25d2');
  expect(await levels([], ['other', 'small'])).toBe('w0.5d2');
  expect(await levels(['model.width=3'], ['other', 'small'])).toBe('w3d2');
  const {nodes, seed, sources} = await load([], ['small', 'other']);
  expect(nodes.map(({id}) => id)).toEqual(['a', 'b[fold=1]']);
  expect(seed).toBe(9);
  expect(sources['clips']?.path).toBe('elsewhere');
});

test('overrides variables, sources, nodes, seed and salt', async () => {
  const pipeline = await load([
    'folds=[4,5]',
    'label=not JSON',
    'vars.model={"width":7,"depth":8}',
    'sources.clips.path=/data',
    'sources.labels.include=["*.tsv"]',
    'nodes.b.params.sizes.1=5',
    'nodes.b.timeout=10s',
    'nodes.a.params.count=8',
    'seed=3',
    'salt=x',
  ]);
  expect(pipeline.nodes.map(({id}) => id)).toEqual(['a', 'b[fold=4]', 'b[fold=5]']);
  expect(pipeline.nodes[0]).toMatchObject({params: {label: 'not JSON', count: 8}, salt: 'x'});
  expect(pipeline.nodes[1]).toMatchObject({params: {sizes: [1, 5], levels: 'w7d8'}, timeoutMs: 10_000});
  expect(pipeline.seed).toBe(3);
  expect(pipeline.sources['clips']?.path).toBe('/data');
  expect(pipeline.sources['labels']?.include).toEqual(['*.tsv']);
});

test('overrides members whose keys are no plain names, and says what to do about those that a path cannot name', async () => {
  const text = yaml
    .replace(
      'label: plain}',
      "label: plain, table: {h1+h2: {n: 1}, F-h1: {n: 2}, F-1.5: {n: 3}, 'a=b': {n: 4}, '7': {n: 5}}}",
    )
    .replace('model: {width: 0.5}', 'table: {h1+h2: {n: 10}, F-1.5: {n: 30}}')
    .replace(/sizes: .*/, "sizes: '\\${vars.table[*].n}'}".replace('\\', ''));
  const sizes = async (overrides: readonly string[], profiles: readonly string[] = []) =>
    (await pipelineOf(text).pipeline({overrides, profiles})).nodes.at(-1)?.params['sizes'];
  expect(await sizes([])).toEqual([5, 1, 2, 3, 4]);
  expect(await sizes(['vars.table.h1+h2.n=6', 'table.F-h1.n=7', 'table.7.n=8'])).toEqual([8, 6, 7, 3, 4]);
  expect(await sizes(['table.h1+h2.n=11'], ['small'])).toEqual([5, 11, 2, 30, 4]);
  const overrides = ['table.F-1.5.n=9', 'table.a=b.n=9', 'table.F-1.6.n=1'];
  expect(await pipelineOf(text).mistakes({overrides})).toMatchInlineSnapshot(`
    "
    unknown variable \`table.F-1\` in --set table.F-1.5.n=9 [unknown-variable]
      hint: a path cannot name \`F-1.5\`, which has a \`.\` or \`=\`: override it in a profile, or replace the mapping around it: --set 'vars.table={"F-1.5": …, …}'

    unknown variable \`table.a\` in --set table.a=b.n=9 [unknown-variable]
      hint: a path cannot name \`a=b\`, which has a \`.\` or \`=\`: override it in a profile, or replace the mapping around it: --set 'vars.table={"a=b": …, …}'

    unknown variable \`table.F-1\` in --set table.F-1.6.n=1 [unknown-variable]
      hint: did you mean \`F-h1\`?

    3 problems
    "
  `);
});

test('does not take a list that was cut short for a text', async () => {
  for (const text of ['folds=[1,2', 'folds=[h1,h2]', 'model={"width":1']) {
    expect(await mistakes([text])).toContain(`--set ${text}: the value starts like JSON and is none [bad-override]`);
  }
  const {sources} = await load(['sources.labels.include="[ab]*.csv"']);
  expect(sources['labels']?.include).toEqual(['[ab]*.csv']);
});

test('reports overrides that change nothing there is', async () => {
  const overrides = [
    'fold=[1]',
    'model.widht=1',
    'model.width.x=1',
    'nodes.c.params.x=1',
    'sources.clip=x',
    'folds.7=1',
    'nonsense',
    '=1',
    'vars=1',
    'a..b=1',
    '__proto__.x=1',
  ];
  expect(await mistakes(overrides, ['smal'])).toMatchInlineSnapshot(`
    "
    unknown profile \`smal\` [unknown-profile]
      hint: did you mean \`small\`?

    unknown variable \`fold\` in --set fold=[1] [unknown-variable]
      hint: did you mean \`folds\`?

    unknown variable \`model.widht\` in --set model.widht=1 [unknown-variable]
      hint: did you mean \`width\`?

    --set model.width.x=1: \`vars.model.width\` has no members [bad-override]

    unknown node \`c\` in --set nodes.c.params.x=1 [unknown-node]
      hint: known: \`a\`, \`b\`

    unknown source \`clip\` in --set sources.clip=x [unknown-source]
      hint: did you mean \`clips\`?

    --set folds.7=1: \`vars.folds\` is a list of 3; \`7\` is not one of its positions [bad-override]

    --set nonsense: an override is \`name=value\` [bad-override]
      hint: example: --set folds=[1,2]

    --set =1: an override is \`name=value\` [bad-override]
      hint: example: --set folds=[1,2]

    --set vars=1: \`vars\` cannot be replaced as a whole [bad-override]
      hint: name a member: --set vars.NAME=value

    --set a..b=1: \`a..b\` is not a path [bad-override]

    --set __proto__.x=1: \`__proto__.x\` is not a path [bad-override]

    12 problems
    "
  `);
});

test('reports what an override makes wrong, and says that it came from there', async () => {
  const overrides = [
    'nodes.b.parms.x=1',
    'nodes.a.params.count=0',
    'nodes.b.timeout=soon',
    'nodes.b.inputs.features=c',
    'folds=1+1',
    'seed=-1',
  ];
  expect(await mistakes(overrides)).toMatchInlineSnapshot(`
    "
    \`seed\` must be a whole number, 0 ... 2^31-1, not \`-1\` (from --set seed=-1) [schema-violation]

    unknown key \`parms\` in node \`b\` (from --set nodes.b.parms.x=1) [unknown-key]
      hint: did you mean \`params\`?

    \`timeout\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`soon\` (from --set nodes.b.timeout=soon) [schema-violation]

    \`count\` must be >= 1, not \`0\` (from --set nodes.a.params.count=0) [bad-value]

    4 problems
    "
  `);
});

test('reports profiles that override what does not exist, chosen or not', async () => {
  const text = yaml.replace('seed: 9}', 'seed: 9, vras: {}}\n  bad: {vars: {foldz: [1]}, sources: {clip: x}}');
  expect(await pipelineOf(text).mistakes()).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:61: unknown key \`vras\` in \`small\` [unknown-key]
      2 | vars: {folds: [1, 2, 3], model: {width: 1, depth: 2}, label: plain}
      3 | profiles:
    > 4 |   small: {vars: {folds: [1], model: {width: 0.5}}, seed: 9, vras: {}}
        |                                                             ~~~~
      5 |   bad: {vars: {foldz: [1]}, sources: {clip: x}}
      6 |   other: {vars: {model: {width: 0.25}}, sources: {clips: elsewhere}}
      hint: did you mean \`vars\`?

    pipeline.yaml:5:16: profile \`bad\` overrides the variable \`foldz\`, which \`vars\` does not have [unknown-variable]
      3 | profiles:
      4 |   small: {vars: {folds: [1], model: {width: 0.5}}, seed: 9, vras: {}}
    > 5 |   bad: {vars: {foldz: [1]}, sources: {clip: x}}
        |                ~~~~~
      6 |   other: {vars: {model: {width: 0.25}}, sources: {clips: elsewhere}}
      7 | sources:
      hint: did you mean \`folds\`?

    pipeline.yaml:5:39: profile \`bad\` overrides the source \`clip\`, which \`sources\` does not have [unknown-source]
      3 | profiles:
      4 |   small: {vars: {folds: [1], model: {width: 0.5}}, seed: 9, vras: {}}
    > 5 |   bad: {vars: {foldz: [1]}, sources: {clip: x}}
        |                                       ~~~~
      6 |   other: {vars: {model: {width: 0.25}}, sources: {clips: elsewhere}}
      7 | sources:
      hint: did you mean \`clips\`?

    3 problems
    "
  `);
});

test('points into the profile that a wrong value came from', async () => {
  const text = yaml.replace('{clips: elsewhere}', `{clips: '\${vars.nothing}'}`);
  expect(await pipelineOf(text).mistakes({profiles: ['other']})).toMatchInlineSnapshot(`
    "
    pipeline.yaml:5:59: unknown variable \`nothing\` [unknown-variable]
      3 | profiles:
      4 |   small: {vars: {folds: [1], model: {width: 0.5}}, seed: 9}
    > 5 |   other: {vars: {model: {width: 0.25}}, sources: {clips: '\${vars.nothing}'}}
        |                                                           ~~~~~~~~~~~~~~~
      6 | sources:
      7 |   clips: data/clips
      hint: known: \`folds\`, \`model\`, \`label\`
    "
  `);
  expect(await pipelineOf(text).mistakes()).toBe('no mistakes');
});

test('says the same on a second run, when caches are warm', async () => {
  const at = pipelineOf(yaml.replace('label: plain}', 'label: plain, label: twice}'));
  for (const options of [{}, {profiles: ['nothing']}, {overrides: ['nothing=1']}, {overrides: ['nodes.a.parms.x=1']}]) {
    const first = await at.mistakes(options);
    expect(first).toContain('the key `label` is written twice');
    expect(await at.mistakes(options)).toBe(first);
  }
});
