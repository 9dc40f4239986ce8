import {describe, expect, test} from 'vitest';
import {project, stage, type Project} from './support.ts';

const fold = (use: string) => `fold: {type: 'integer', minimum: 0, default: 0, heldOut: '${use}', about: 'held out'}`;
const oneFile = `{out: {kind: 'file', name: 'out', about: 'o'}}`;
const stages = {
  'stages/fit.ts': stage('fit', {
    params: `{${fold('learns')}}`,
    inputs: `{data: {kind: 'file', about: 'd'}, start: {kind: 'file', optional: true, about: 's'}}`,
    outputs: `{model: {kind: 'file', name: 'model', about: 'm'}, log: {kind: 'file', name: 'log', about: 'l'}}`,
  }),
  'stages/project.ts': stage('project', {
    params: `{${fold('applies')}}`,
    inputs: `{item: {kind: 'file', about: 'i'}, model: {kind: 'file', about: 'm'}}`,
    outputs: oneFile,
  }),
  'stages/gather.ts': stage('gather', {
    inputs: `{parts: {kind: 'tree', many: true, about: 'p'}}`,
    outputs: oneFile,
  }),
  'stages/learn.ts': stage('learn', {
    params: `{${fold('learns')}}`,
    inputs: `{data: {kind: 'file', about: 'd'}, more: {kind: 'file', many: true, optional: true, about: 'm'}}`,
    outputs: oneFile,
  }),
};

/** A cross-validation in which one line is replaced. */
function crossValidation(change: Readonly<Record<string, string>> = {}): Project {
  const lines = {
    pca: 'pca: {stage: fit, matrix: {fold: "${vars.folds}"}, params: {fold: "${matrix.fold}"}, inputs: {data: table}}',
    quantized:
      'quantized: {stage: project, matrix: {of: [x, y], fold: "${vars.folds}"}, each: {item: clips}, params: {fold: "${matrix.fold}"}, inputs: {model: "pca[fold=${matrix.fold}].model"}}',
    segments:
      'segments: {stage: gather, matrix: {fold: "${vars.folds}"}, inputs: {parts: "quantized[of=*,fold=${matrix.fold}]"}}',
    train:
      'train: {stage: learn, matrix: {fold: "${vars.folds}", levels: [h1, h2]}, params: {fold: "${matrix.fold}"}, inputs: {data: "segments[fold=${matrix.fold}]"}}',
    more: 'ensemble: {command: [mean], inputs: {p: "train[fold=*,levels=h1]"}, outputs: {out: mean.csv}}',
    ...change,
  };
  return project({
    ...stages,
    'clips/a.wav': 'a',
    'table.csv': 'a',
    'pipeline.yaml': `version: 1\nvars: {folds: [1, 2, 3], weights: table, why: ' ', minus: -1, other: {'1': 2, '2': 3, '3': 1}, chosen: 'pca[fold=2].model'}\nsources: {clips: clips, table: table.csv}\nnodes:\n${Object.values(
      lines,
    )
      .map((line) => `  ${line.replaceAll('"', "'")}\n`)
      .join('')}`,
  });
}

describe('a leak', () => {
  test('is not found in a cross-validation as it should be', async () => {
    expect(await crossValidation().mistakes()).toBe('no mistakes');
    const {nodes} = await crossValidation().pipeline();
    const sides = new Map(nodes.map(({id, heldOut}) => [id, heldOut]));
    expect(sides.get('pca[fold=2]')).toEqual({fold: '2', use: 'learns'});
    expect(sides.get('quantized[of=x,fold=2]')).toEqual({fold: '2', use: 'applies'});
    expect(sides.get('segments[fold=2]')).toBeUndefined();
    expect(sides.get('ensemble')).toBeUndefined();
  });

  test('is told at the binding with its path and the reference to write', async () => {
    const at = crossValidation({
      segments: `segments:
    stage: gather
    matrix: {fold: "\${vars.folds}"}
    inputs:
      parts:
        - clips
        - "quantized[of=*,fold=2]"`,
    });
    expect(await at.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:13:11: \`train[fold=1,levels=h1]\` holds out fold 1 and reads what has learned from it: pca[fold=2] -> quantized[of=x,fold=2] -> segments[fold=1] -> train[fold=1,levels=h1]; and so do 3 more nodes [leak]
        11 |       parts:
        12 |         - clips
      > 13 |         - 'quantized[of=*,fold=2]'
           |           ~~~~~~~~~~~~~~~~~~~~~~~~
        14 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
        15 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
        hint: read what holds out the same fold: \`quantized[of=*,fold=\${matrix.fold}]\`
      "
    `);
  });

  test('is told at the line of each, in a list, and for a producer with several outputs', async () => {
    const each = crossValidation({
      more: 'again: {stage: project, matrix: {f: "${vars.folds}"}, params: {fold: "${matrix.f}"}, each: {item: "quantized[of=x,fold=1]"}, inputs: {model: "pca[fold=3].model"}}',
    });
    expect(await each.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:9:101: \`again[f=2]\` holds out fold 2 and reads what has learned from it: pca[fold=1] -> quantized[of=x,fold=1] -> again[f=2]; and so does 1 more node [leak]
         7 | …ars.folds}'}, inputs: {parts: 'quantized[of=*,fold=\${matrix.fold}]'}}
         8 | …folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, inputs: {data: 'segments[fold=\${matrix.fold}]'…
      >  9 | …olds}'}, params: {fold: '\${matrix.f}'}, each: {item: 'quantized[of=x,fold=1]'}, inputs: {model: 'pca[fold=3]…
           |                                                       ~~~~~~~~~~~~~~~~~~~~~~~~
        hint: read what holds out the same fold: \`quantized[of=x,fold=\${matrix.f}]\`

      pipeline.yaml:9:144: \`again[f=1]\` holds out fold 1 and reads what has learned from it: pca[fold=3] -> again[f=1]; and so does 1 more node [leak]
         7 | …=*,fold=\${matrix.fold}]'}}
         8 | …'\${matrix.fold}'}, inputs: {data: 'segments[fold=\${matrix.fold}]'}}
      >  9 | …h: {item: 'quantized[of=x,fold=1]'}, inputs: {model: 'pca[fold=3].model'}}
           |                                                       ~~~~~~~~~~~~~~~~~~~
        hint: read what holds out the same fold: \`pca[fold=\${matrix.f}].model\`

      2 problems
      "
    `);
    const list = crossValidation({
      more: 'again: {stage: learn, params: {fold: 3}, inputs: {data: table, more: ["pca[fold=3].model", "train[fold=1,levels=*]"]}}',
    });
    expect(await list.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:9:94: \`again\` holds out fold 3 and reads what has learned from it: train[fold=1,levels=h1] -> again [leak]
         7 | …d: '\${vars.folds}'}, inputs: {parts: 'quantized[of=*,fold=\${matrix.fold}]'}}
         8 | …\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, inputs: {data: 'segments[fold=\${matrix.…
      >  9 | …}, inputs: {data: table, more: ['pca[fold=3].model', 'train[fold=1,levels=*]']}}
           |                                                       ~~~~~~~~~~~~~~~~~~~~~~~~
        hint: read what holds out the same fold: \`train[fold=3,levels=*]\`
      "
    `);
  });

  test('is mended in the reference as it is written, or in words where that says no fold', async () => {
    const hintOf = async (reference: string): Promise<string | undefined> => {
      const at = crossValidation({
        more: `again: {stage: learn, matrix: {fold: "\${vars.folds}"}, params: {fold: "\${matrix.fold}"}, inputs: {data: table, more: ${reference}}}`,
      });
      return / {2}hint: (.*)/.exec(await at.mistakes())?.[1];
    };
    const read = 'read what holds out the same fold: ';
    expect(await hintOf('"train[ levels=h1 , fold = 2 ]"')).toBe(
      `${read}\`train[ levels=h1 , fold =\${matrix.fold}]\``,
    );
    expect(await hintOf('"train[levels=h1,fold=${vars.other[matrix.fold]}].out"')).toBe(
      `${read}\`train[levels=h1,fold=\${matrix.fold}].out\``,
    );
    expect(await hintOf('"pca[fold=1|2].model"')).toBe(`${read}\`pca[fold=\${matrix.fold}].model\``);
    expect(await hintOf('"${vars.chosen}"')).toBe(`${read}\`pca[…fold=\${matrix.fold}…]\``);
    expect(await hintOf('["pca[fold=1].model", "pca[fold=2].model"]')).toBe(`${read}\`pca[…fold=\${matrix.fold}…]\``);
  });

  test('of labels from all folds', async () => {
    const at = crossValidation({
      labels: 'labels: {shell: sh, script: "cp p out", inputs: {p: ensemble}, outputs: {out: out}}',
      second:
        'second: {stage: learn, matrix: {fold: "${train.fold}"}, params: {fold: "${matrix.fold}"}, inputs: {data: labels}}',
    });
    expect(await at.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:11:108: \`second[fold=1]\` holds out fold 1 and reads what has learned from it: train[fold=2,levels=h1] -> ensemble -> labels -> second[fold=1]; and so do 2 more nodes [leak]
         9 | …*,levels=h1]'}, outputs: {out: mean.csv}}
        10 | …ensemble}, outputs: {out: out}}
      > 11 | …'}, params: {fold: '\${matrix.fold}'}, inputs: {data: labels}}
           |                                                       ~~~~~~
        hint: give \`labels\` an axis \`fold\` and make each variant from what holds out its fold, or say in \`labels\` why others may read it: \`acceptLeak: reason\`
      "
    `);
  });

  test('of what learned from all folds is told through the variable that chose it', async () => {
    const at = crossValidation({
      pca: 'pca: {stage: fit, matrix: {fold: "${vars.folds}"}, params: {fold: "${matrix.fold}"}, inputs: {data: table, start: "${vars.weights}"}}',
      tuned: 'tuned: {stage: fit, inputs: {data: table}}',
    });
    expect(await at.mistakes()).toBe('no mistakes');
    expect(await at.mistakes({overrides: ['weights=tuned.model']})).toMatchInlineSnapshot(`
      "
      pipeline.yaml:5:117: \`pca[fold=1]\` holds out fold 1 and reads what has learned from it: tuned -> pca[fold=1]; and so do 2 more nodes (through \${vars.weights}, set by --set weights=tuned.model) [leak]
        3 |
        4 |
      > 5 | …old: '\${matrix.fold}'}, inputs: {data: table, start: '\${vars.weights}'}}
          |                                                       ~~~~~~~~~~~~~~~~~
        6 | …s.folds}'}, each: {item: clips}, params: {fold: '\${matrix.fold}'}, inputs: {model: 'pca[fold=\${matrix.fold}]…
        7 | …puts: {parts: 'quantized[of=*,fold=\${matrix.fold}]'}}
        hint: let \`tuned\` hold folds out, by an axis \`fold\` and \`params: {fold: '\${matrix.fold}'}\`, or say in \`tuned\` why others may read it: \`acceptLeak: reason\`
      "
    `);
  });

  test('by a param that is not the fold of the name', async () => {
    const at = crossValidation({
      train:
        'train: {stage: learn, matrix: {fold: "${vars.folds}", levels: [h1, h2]}, params: {fold: 2}, inputs: {data: "segments[fold=${matrix.fold}]"}}',
    });
    expect(await at.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:8:91: \`train[fold=1,levels=h1]\` holds out fold 2 and reads what has learned from it: pca[fold=1] -> quantized[of=x,fold=1] -> segments[fold=1] -> train[fold=1,levels=h1]; and so do 3 more nodes [leak]
         6 | … {of: [x, y], fold: '\${vars.folds}'}, each: {item: clips}, params: {fold: '\${matrix.fold}'}, inputs: {model:…
         7 | …fold: '\${vars.folds}'}, inputs: {parts: 'quantized[of=*,fold=\${matrix.fold}]'}}
      >  8 | …: '\${vars.folds}', levels: [h1, h2]}, params: {fold: 2}, inputs: {data: 'segments[fold=\${matrix.fold}]'}}
           |                                                       ~
         9 | … {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
        hint: \`train[fold=1,levels=h1]\` holds out fold 2, and its axis \`fold\` is 1: write \`params: {fold: '\${matrix.fold}'}\`
      "
    `);
  });

  test('is looked for only in a pipeline that is well otherwise', async () => {
    const at = crossValidation({segments: 'segments: {stage: gather, inputs: {parts: [quantized]}}'});
    expect(await at.mistakes()).not.toContain('[leak]');
  });
});

describe('heldOut of a node', () => {
  const command = (heldOut: string, reads = 'train[fold=1,levels=h1]') => ({
    fit: `fit: {command: [fit], ${heldOut}inputs: {x: "${reads}"}, outputs: {out: out}}`,
  });
  test('makes a command learn with the fold held out', async () => {
    expect(await crossValidation(command('heldOut: 1, ')).mistakes()).toBe('no mistakes');
    expect(await crossValidation(command('heldOut: 2, ')).mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:10:49: \`fit\` holds out fold 2 and reads what has learned from it: train[fold=1,levels=h1] -> fit [leak]
         8 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
         9 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
      > 10 |   fit: {command: [fit], heldOut: 2, inputs: {x: 'train[fold=1,levels=h1]'}, outputs: {out: out}}
           |                                                 ~~~~~~~~~~~~~~~~~~~~~~~~~
        hint: read what holds out the same fold: \`train[fold=2,levels=h1]\`
      "
    `);
    expect(await crossValidation(command('heldOut: 0, ')).mistakes()).toBe('no mistakes');
    expect(await crossValidation(command('heldOut: null, ')).mistakes()).toBe('no mistakes');
    expect(await crossValidation(command('heldOut: east, ')).mistakes()).toContain('holds out fold east and reads');
  });

  test('of 0 says that it learns from all folds', async () => {
    const second = {second: 'second: {stage: learn, params: {fold: 1}, inputs: {data: fit}}'};
    expect(await crossValidation({...command(''), ...second}).mistakes()).toBe('no mistakes');
    expect(await crossValidation({...command('heldOut: 0, '), ...second}).mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:11:60: \`second\` holds out fold 1 and reads what has learned from it: fit -> second [leak]
         9 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
        10 |   fit: {command: [fit], heldOut: 0, inputs: {x: 'train[fold=1,levels=h1]'}, outputs: {out: out}}
      > 11 |   second: {stage: learn, params: {fold: 1}, inputs: {data: fit}}
           |                                                            ~~~
        hint: let \`fit\` hold folds out, by an axis \`fold\` and \`heldOut: '\${matrix.fold}'\`, or say in \`fit\` why others may read it: \`acceptLeak: reason\`
      "
    `);
  });

  test('serves a stage without such a param, and is refused beside one', async () => {
    const own = crossValidation({
      segments:
        'segments: {stage: gather, matrix: {fold: "${vars.folds}"}, heldOut: "${matrix.fold}", inputs: {parts: "quantized[of=*,fold=*]"}}',
    });
    expect(await own.mistakes()).toContain('`segments[fold=1]` holds out fold 1 and reads what has learned from it');
    const twice = crossValidation({more: 'again: {stage: learn, heldOut: 1, inputs: {data: table}}'});
    expect(await twice.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:9:25: stage \`learn\` is told by its param \`fold\` which fold is held out [bad-value]
         7 |   segments: {stage: gather, matrix: {fold: '\${vars.folds}'}, inputs: {parts: 'quantized[of=*,fold=\${matrix.fo…
         8 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
      >  9 |   again: {stage: learn, heldOut: 1, inputs: {data: table}}
           |                         ~~~~~~~
        hint: remove \`heldOut\`, and set the param
      "
    `);
  });

  test('is a number from 0 or a text', async () => {
    expect(await crossValidation(command('heldOut: true, ')).mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:10:34: \`heldOut\` must be the fold that is held out, or 0 for none, not \`true\` [schema-violation]
         8 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
         9 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
      > 10 |   fit: {command: [fit], heldOut: true, inputs: {x: 'train[fold=1,levels=h1]'}, outputs: {out: out}}
           |                                  ~~~~
      "
    `);
    expect(await crossValidation(command('heldOut: -1, ')).mistakes()).toContain(
      'must be the fold that is held out, or 0 for none',
    );
    expect(await crossValidation(command('heldOut: "${vars.minus}", ')).mistakes()).toContain(
      '`heldOut` must be the fold that is held out, or 0 for none, not `-1` (through ${vars.minus}) [bad-value]',
    );
    expect(await crossValidation(command('heldOut: "${vars.folds}", ')).mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:10:34: \`heldOut\` must be the fold that is held out, or 0 for none, not a list (through \${vars.folds}) [bad-value]
         8 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
         9 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
      > 10 |   fit: {command: [fit], heldOut: '\${vars.folds}', inputs: {x: 'train[fold=1,levels=h1]'}, outputs: {out: out}}
           |                                  ~~~~~~~~~~~~~~~
      "
    `);
  });

  test('never counts as a change', async () => {
    const paramsOf = async (at: Project) => (await at.pipeline()).nodes.find(({name}) => name === 'fit')?.params;
    const without = await paramsOf(crossValidation(command('')));
    expect(await paramsOf(crossValidation(command('heldOut: 1, acceptLeak: why not, ')))).toEqual(without);
  });
});

describe('acceptLeak', () => {
  const tuned = (more: string) =>
    crossValidation({
      pca: 'pca: {stage: fit, matrix: {fold: "${vars.folds}"}, params: {fold: "${matrix.fold}"}, inputs: {data: table, start: "${vars.weights}"}}',
      tuned: `tuned: {stage: fit, ${more}inputs: {data: table}}`,
    });

  test('lets nodes read what has learned from the fold they hold out, and is told where they do', async () => {
    const at = tuned('acceptLeak: "as in the ${vars.weights}", ');
    const used = await at.load({overrides: ['weights=tuned.model']});
    if (!used.ok) throw new Error('refused');
    const [leak, ...others] = used.value.acceptedLeaks;
    expect(others).toEqual([]);
    expect(leak).toMatchObject({
      name: 'tuned',
      reason: 'as in the tuned.model',
      readers: [1, 2, 3].map((n) => `pca[fold=${n}]`),
    });
    expect(leak?.reached.has('ensemble')).toBe(true);
    const unused = await at.load();
    expect(unused.ok && unused.value.acceptedLeaks).toEqual([]);
  });

  test('needs a reason', async () => {
    for (const reason of ["''", "' '"]) {
      expect(await tuned(`acceptLeak: ${reason}, `).mistakes()).toContain('`acceptLeak` must be a text that says why');
    }
    expect(await tuned('acceptLeak: "${vars.folds.3}", ').mistakes()).toContain('has no member');
    const empty = await tuned('acceptLeak: "${vars.why}", ').mistakes();
    expect(empty).toContain('`acceptLeak` must be a text that says why');
    expect(await tuned('acceptLeak: true, ').mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:10:35: \`acceptLeak\` must be a text that says why, not \`true\` [schema-violation]
         8 |   train: {stage: learn, matrix: {fold: '\${vars.folds}', levels: [h1, h2]}, params: {fold: '\${matrix.fold}'}, …
         9 |   ensemble: {command: [mean], inputs: {p: 'train[fold=*,levels=h1]'}, outputs: {out: mean.csv}}
      > 10 |   tuned: {stage: fit, acceptLeak: true, inputs: {data: table}}
           |                                   ~~~~
      "
    `);
  });
});

test('a stage says by one integer or text which fold it holds out', async () => {
  const at = project({
    'stages/odd.ts': stage('odd', {
      params: `{
        a: {type: 'boolean', default: true, heldOut: 'learns', about: 'a'},
        b: {type: 'integer', default: 0, heldOut: 'applies', about: 'b'},
      }`,
      outputs: oneFile,
    }),
    'stages/wrong.ts': stage('wrong', {
      params: `{a: {type: 'integer', default: 0, heldOut: true, about: 'a'}}`,
      outputs: oneFile,
    }),
    'pipeline.yaml': 'version: 1\nnodes: {a: {stage: odd}, b: {stage: wrong}}\n',
  });
  expect(await at.mistakes()).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:20: stage \`odd\` (stages/odd.ts) is declared wrongly: \`params.a.heldOut\`: an integer or a text names a fold; \`a\` and \`b\` both say \`heldOut\`: one param names the fold [stage-invalid]
      1 | version: 1
    > 2 | nodes: {a: {stage: odd}, b: {stage: wrong}}
        |                    ~~~

    pipeline.yaml:2:37: stage \`wrong\` (stages/wrong.ts) is declared wrongly: in \`params.a\`: \`heldOut\` must be \`learns\` or \`applies\`, not \`true\` [stage-invalid]
      1 | version: 1
    > 2 | nodes: {a: {stage: odd}, b: {stage: wrong}}
        |                                     ~~~~~

    2 problems
    "
  `);
});
