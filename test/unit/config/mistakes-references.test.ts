import {expect, test} from 'vitest';
import {pipelineOf, project, stage} from './support.ts';

const mistakes = (yaml: string) => pipelineOf(yaml).mistakes();

test('reports unknown names of every kind at once', async () => {
  const yaml = `version: 1
vars: {folds: [1, 2], deep: {er: 1}}
sources: {clips: {path: data, include: '*.wav'}}
nodes:
  refined: {stage: refin, each: clips}
  model:
    stage: train
    matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
    inputs: {featurs: refined, features: refinedd}
    params: {fold: '\${matrix.fald}', learningRate: 1}
  good:
    stage: train
    matrix: {fold: [1, 2], levels: [h1, h2]}
    inputs: {features: make-it.out}
    params: {fold: '\${matrix.fald}', levels: '\${vars.deep.err}', sizes: '\${vars.folds.7}'}
  make-it: {stage: make}
  merged:
    stage: merge
    matrix: {levels: '\${good.level}', x: '\${god.levels}'}
    inputs: {parts: 'good[fold=*,levels=h1].prediction'}
  merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
  merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
targets: {default: [merge, 'good[fold=7]', clips]}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:5:20: unknown stage \`refin\` [unknown-stage]
      3 | sources: {clips: {path: data, include: '*.wav'}}
      4 | nodes:
    > 5 |   refined: {stage: refin, each: clips}
        |                    ~~~~~
      6 |   model:
      7 |     stage: train
      hint: did you mean \`refine\`?

    pipeline.yaml:8:21: unknown variable \`fold\` [unknown-variable]
       6 |   model:
       7 |     stage: train
    >  8 |     matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
         |                     ~~~~~~~~~~~~
       9 |     inputs: {featurs: refined, features: refinedd}
      10 |     params: {fold: '\${matrix.fald}', learningRate: 1}
      hint: did you mean \`folds\`?

    pipeline.yaml:9:14: stage \`train\` has no input \`featurs\` [unknown-input]
       7 |     stage: train
       8 |     matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
    >  9 |     inputs: {featurs: refined, features: refinedd}
         |              ~~~~~~~
      10 |     params: {fold: '\${matrix.fald}', learningRate: 1}
      11 |   good:
      hint: did you mean \`features\`?

    pipeline.yaml:9:42: there is no node or source \`refinedd\` [unknown-node]
       7 |     stage: train
       8 |     matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
    >  9 |     inputs: {featurs: refined, features: refinedd}
         |                                          ~~~~~~~~
      10 |     params: {fold: '\${matrix.fald}', learningRate: 1}
      11 |   good:
      hint: did you mean \`refined\`?

    pipeline.yaml:10:21: node \`model\` has no axis \`fald\` [unknown-axis]
       8 |     matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
       9 |     inputs: {featurs: refined, features: refinedd}
    > 10 |     params: {fold: '\${matrix.fald}', learningRate: 1}
         |                     ~~~~~~~~~~~~~~
      11 |   good:
      12 |     stage: train
      hint: did you mean \`fold\`?

    pipeline.yaml:10:38: stage \`train\` has no param \`learningRate\` [unknown-param]
       8 |     matrix: {fold: '\${vars.fold}', levels: [h1, h2]}
       9 |     inputs: {featurs: refined, features: refinedd}
    > 10 |     params: {fold: '\${matrix.fald}', learningRate: 1}
         |                                      ~~~~~~~~~~~~
      11 |   good:
      12 |     stage: train
      hint: known: \`fold\`, \`levels\`, \`sizes\`

    pipeline.yaml:15:21: node \`good\` has no axis \`fald\` [unknown-axis]
      13 |     matrix: {fold: [1, 2], levels: [h1, h2]}
      14 |     inputs: {features: make-it.out}
    > 15 |     params: {fold: '\${matrix.fald}', levels: '\${vars.deep.err}', sizes: '\${vars.folds.7}'}
         |                     ~~~~~~~~~~~~~~
      16 |   make-it: {stage: make}
      17 |   merged:
      hint: did you mean \`fold\`?

    pipeline.yaml:15:47: the variable \`deep\` has no member \`err\` [unknown-variable]
      13 |     matrix: {fold: [1, 2], levels: [h1, h2]}
      14 |     inputs: {features: make-it.out}
    > 15 |     params: {fold: '\${matrix.fald}', levels: '\${vars.deep.err}', sizes: '\${vars.folds.7}'}
         |                                               ~~~~~~~~~~~~~~~~
      16 |   make-it: {stage: make}
      17 |   merged:
      hint: did you mean \`er\`?

    pipeline.yaml:15:74: the variable \`folds\` has no member \`7\` [unknown-variable]
      13 |     matrix: {fold: [1, 2], levels: [h1, h2]}
      14 |     inputs: {features: make-it.out}
    > 15 |     params: {fold: '\${matrix.fald}', levels: '\${vars.deep.err}', sizes: '\${vars.folds.7}'}
         |                                                                          ~~~~~~~~~~~~~~~
      16 |   make-it: {stage: make}
      17 |   merged:
      hint: \`folds\` is a list of 2; its positions count from 0

    pipeline.yaml:19:23: \`good\` has no axis \`level\` [unknown-axis]
      17 |   merged:
      18 |     stage: merge
    > 19 |     matrix: {levels: '\${good.level}', x: '\${god.levels}'}
         |                       ~~~~~~~~~~~~~
      20 |     inputs: {parts: 'good[fold=*,levels=h1].prediction'}
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      hint: did you mean \`levels\`?

    pipeline.yaml:19:43: \`\${god.levels}\` refers to nothing: there is no node \`god\` [unknown-node]
      17 |   merged:
      18 |     stage: merge
    > 19 |     matrix: {levels: '\${good.level}', x: '\${god.levels}'}
         |                                           ~~~~~~~~~~~~~
      20 |     inputs: {parts: 'good[fold=*,levels=h1].prediction'}
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      hint: did you mean \`good\`?

    pipeline.yaml:20:45: \`good\` has no output \`prediction\` [unknown-output]
      18 |     stage: merge
      19 |     matrix: {levels: '\${good.level}', x: '\${god.levels}'}
    > 20 |     inputs: {parts: 'good[fold=*,levels=h1].prediction'}
         |                                             ~~~~~~~~~~
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
      hint: did you mean \`predictions\`?

    pipeline.yaml:21:63: the axis \`levels\` of \`good\` has no value \`h3\` [unknown-axis]
      19 |     matrix: {levels: '\${good.level}', x: '\${god.levels}'}
      20 |     inputs: {parts: 'good[fold=*,levels=h1].prediction'}
    > 21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
         |                                                               ~~
      22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
      23 | targets: {default: [merge, 'good[fold=7]', clips]}
      hint: its values: \`h1\`, \`h2\`

    pipeline.yaml:22:56: \`good\` has no axis \`level\` [unknown-axis]
      20 |     inputs: {parts: 'good[fold=*,levels=h1].prediction'}
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
    > 22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
         |                                                        ~~~~~
      23 | targets: {default: [merge, 'good[fold=7]', clips]}
      hint: did you mean \`levels\`?

    pipeline.yaml:23:21: there is no node \`merge\` [unknown-target]
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
    > 23 | targets: {default: [merge, 'good[fold=7]', clips]}
         |                     ~~~~~
      hint: did you mean \`merged\`?

    pipeline.yaml:23:39: the axis \`fold\` of \`good\` has no value \`7\` [unknown-axis]
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
    > 23 | targets: {default: [merge, 'good[fold=7]', clips]}
         |                                       ~
      hint: its values: \`1\`, \`2\`

    pipeline.yaml:23:44: \`clips\` is a source: there is nothing to build [unknown-target]
      21 |   merged2: {stage: merge, inputs: {parts: 'good[fold=*,levels=h3].predictions'}}
      22 |   merged3: {stage: merge, inputs: {parts: 'good[fold=*,level=h1].predictions'}}
    > 23 | targets: {default: [merge, 'good[fold=7]', clips]}
         |                                            ~~~~~

    17 problems
    "
  `);
});

test('says how to name the variants of a node with a matrix', async () => {
  const yaml = `version: 1
nodes:
  source: {stage: make}
  model:
    stage: train
    matrix: {fold: [1, 2], levels: [h1, h2]}
    inputs: {features: source}
    params: {fold: '\${matrix.fold}'}
  a: {stage: merge, matrix: {fold: [1, 2]}, inputs: {parts: model.predictions}}
  b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
  c: {stage: merge, inputs: {parts: model}}
  d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
  e: {stage: merge, inputs: {parts: 'source[*]'}}
  f: {stage: merge, inputs: {parts: 'model[fold=1'}}
  g: {stage: merge, inputs: {parts: 'model[fold=].model'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:9:61: \`model\` has the axes \`fold\`, \`levels\`; name each to say which variant [bad-reference]
       7 |     inputs: {features: source}
       8 |     params: {fold: '\${matrix.fold}'}
    >  9 |   a: {stage: merge, matrix: {fold: [1, 2]}, inputs: {parts: model.predictions}}
         |                                                             ~~~~~~~~~~~~~~~~~
      10 |   b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
      11 |   c: {stage: merge, inputs: {parts: model}}
      hint: write \`model[fold=\${matrix.fold},levels=*].predictions\` (\`*\` stands for all values)

    pipeline.yaml:10:37: \`model\` has the axes \`fold\`, \`levels\`; name each to say which variant [bad-reference]
       8 |     params: {fold: '\${matrix.fold}'}
       9 |   a: {stage: merge, matrix: {fold: [1, 2]}, inputs: {parts: model.predictions}}
    > 10 |   b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
         |                                     ~~~~~~~~~~~~~~~~~~~~~~~~~~~
      11 |   c: {stage: merge, inputs: {parts: model}}
      12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
      hint: write \`model[fold=*,levels=*].predictions\` (\`*\` stands for all values)

    pipeline.yaml:11:37: \`model\` has 2 outputs; say which [bad-reference]
       9 |   a: {stage: merge, matrix: {fold: [1, 2]}, inputs: {parts: model.predictions}}
      10 |   b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
    > 11 |   c: {stage: merge, inputs: {parts: model}}
         |                                     ~~~~~
      12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
      13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
      hint: write \`model[fold=*,levels=*].model\`, \`model[fold=*,levels=*].predictions\`

    pipeline.yaml:12:35: input \`left\` of stage \`pair\` takes one artifact, and \`model[fold=*,levels=h1].model\` stands for a list [kind-mismatch]
      10 |   b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
      11 |   c: {stage: merge, inputs: {parts: model}}
    > 12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
         |                                   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
      14 |   f: {stage: merge, inputs: {parts: 'model[fold=1'}}
      hint: a stage takes a list where its port says \`many: true\`

    pipeline.yaml:12:76: input \`right\` of stage \`pair\` takes one artifact, and this is a list [kind-mismatch]
      10 |   b: {stage: merge, inputs: {parts: 'model[fold=1].predictions'}}
      11 |   c: {stage: merge, inputs: {parts: model}}
    > 12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
         |                                                                            ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
      14 |   f: {stage: merge, inputs: {parts: 'model[fold=1'}}
      hint: a stage takes a list where its port says \`many: true\`

    pipeline.yaml:13:37: \`source\` has no matrix [unknown-axis]
      11 |   c: {stage: merge, inputs: {parts: model}}
      12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
    > 13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
         |                                     ~~~~~~~~~~~
      14 |   f: {stage: merge, inputs: {parts: 'model[fold=1'}}
      15 |   g: {stage: merge, inputs: {parts: 'model[fold=].model'}}
      hint: write \`source\` without brackets

    pipeline.yaml:14:43: \`model[fold=1\` is not a reference: the bracket is not closed by \`]\` [bad-reference]
      12 |   d: {stage: pair, inputs: {left: 'model[fold=*,levels=h1].model', right: ['model[fold=1,levels=h1].model']}}
      13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
    > 14 |   f: {stage: merge, inputs: {parts: 'model[fold=1'}}
         |                                           ~~~~~~~
      15 |   g: {stage: merge, inputs: {parts: 'model[fold=].model'}}
      hint: a reference is \`source\`, \`node\`, \`node.output\` or \`node[axis=value].output\`

    pipeline.yaml:15:49: \`model[fold=].model\` is not a reference: axis \`fold\` has no value [bad-reference]
      13 |   e: {stage: merge, inputs: {parts: 'source[*]'}}
      14 |   f: {stage: merge, inputs: {parts: 'model[fold=1'}}
    > 15 |   g: {stage: merge, inputs: {parts: 'model[fold=].model'}}
         |                                                 ~
      hint: a reference is \`source\`, \`node\`, \`node.output\` or \`node[axis=value].output\`

    8 problems
    "
  `);
});

test('reports kinds that do not fit', async () => {
  const yaml = `version: 1
sources: {clips: {path: data, include: '*.wav'}}
nodes:
  tree: {stage: make}
  sliced: {stage: refine, each: clips}
  a: {stage: refine, inputs: {item: sliced}}
  b: {stage: train, inputs: {features: merged.table}, params: {fold: 1}}
  merged: {stage: merge, inputs: {parts: [sliced]}}
  c: {stage: refine, each: merged}
  d: {stage: make, each: clips}
  e: {stage: pair, each: clips}
  f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}
  g: {stage: merge, each: {parts: clips}}
  h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
  i: {stage: pair, each: {left: clips}, inputs: {left: merged, right: merged}}
  j: {stage: refine, each: clips.out}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:6:37: input \`item\` of stage \`refine\` takes a file, and \`sliced\` is a tree [kind-mismatch]
      4 |   tree: {stage: make}
      5 |   sliced: {stage: refine, each: clips}
    > 6 |   a: {stage: refine, inputs: {item: sliced}}
        |                                     ~~~~~~
      7 |   b: {stage: train, inputs: {features: merged.table}, params: {fold: 1}}
      8 |   merged: {stage: merge, inputs: {parts: [sliced]}}
      hint: \`each: {item: sliced}\` runs the node once for each item of the tree

    pipeline.yaml:7:40: input \`features\` of stage \`train\` takes a tree, and \`merged.table\` is a file [kind-mismatch]
      5 |   sliced: {stage: refine, each: clips}
      6 |   a: {stage: refine, inputs: {item: sliced}}
    > 7 |   b: {stage: train, inputs: {features: merged.table}, params: {fold: 1}}
        |                                        ~~~~~~~~~~~~
      8 |   merged: {stage: merge, inputs: {parts: [sliced]}}
      9 |   c: {stage: refine, each: merged}

    pipeline.yaml:8:43: input \`parts\` of stage \`merge\` takes a file, and \`sliced\` is a tree [kind-mismatch]
       6 |   a: {stage: refine, inputs: {item: sliced}}
       7 |   b: {stage: train, inputs: {features: merged.table}, params: {fold: 1}}
    >  8 |   merged: {stage: merge, inputs: {parts: [sliced]}}
         |                                           ~~~~~~
       9 |   c: {stage: refine, each: merged}
      10 |   d: {stage: make, each: clips}

    pipeline.yaml:9:28: \`each\` takes a collection, and \`merged\` is a single file [kind-mismatch]
       7 |   b: {stage: train, inputs: {features: merged.table}, params: {fold: 1}}
       8 |   merged: {stage: merge, inputs: {parts: [sliced]}}
    >  9 |   c: {stage: refine, each: merged}
         |                            ~~~~~~
      10 |   d: {stage: make, each: clips}
      11 |   e: {stage: pair, each: clips}
      hint: a collection is a folder, a tree output, or a node with \`each\`

    pipeline.yaml:10:26: stage \`make\` has no file input left for the items of \`clips\` [bad-reference]
       8 |   merged: {stage: merge, inputs: {parts: [sliced]}}
       9 |   c: {stage: refine, each: merged}
    > 10 |   d: {stage: make, each: clips}
         |                          ~~~~~
      11 |   e: {stage: pair, each: clips}
      12 |   f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}

    pipeline.yaml:11:26: stage \`pair\` has 2 file inputs that could take the items of \`clips\` [bad-reference]
       9 |   c: {stage: refine, each: merged}
      10 |   d: {stage: make, each: clips}
    > 11 |   e: {stage: pair, each: clips}
         |                          ~~~~~
      12 |   f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}
      13 |   g: {stage: merge, each: {parts: clips}}
      hint: write \`each: {left: clips}\` or \`each: {right: clips}\`

    pipeline.yaml:12:27: stage \`pair\` has no input \`lef\` [unknown-input]
      10 |   d: {stage: make, each: clips}
      11 |   e: {stage: pair, each: clips}
    > 12 |   f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}
         |                           ~~~
      13 |   g: {stage: merge, each: {parts: clips}}
      14 |   h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
      hint: did you mean \`left\`?

    pipeline.yaml:13:28: \`each\` gives one file at a time, and input \`parts\` of stage \`merge\` takes a list [kind-mismatch]
      11 |   e: {stage: pair, each: clips}
      12 |   f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}
    > 13 |   g: {stage: merge, each: {parts: clips}}
         |                            ~~~~~
      14 |   h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
      15 |   i: {stage: pair, each: {left: clips}, inputs: {left: merged, right: merged}}

    pipeline.yaml:14:26: stage \`pair\` has no file input left for the items of \`clips\` [bad-reference]
      12 |   f: {stage: pair, each: {lef: clips}, inputs: {right: merged}}
      13 |   g: {stage: merge, each: {parts: clips}}
    > 14 |   h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
         |                          ~~~~~
      15 |   i: {stage: pair, each: {left: clips}, inputs: {left: merged, right: merged}}
      16 |   j: {stage: refine, each: clips.out}

    pipeline.yaml:15:50: input \`left\` is bound twice: here and by \`each\` [bad-value]
      13 |   g: {stage: merge, each: {parts: clips}}
      14 |   h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
    > 15 |   i: {stage: pair, each: {left: clips}, inputs: {left: merged, right: merged}}
         |                                                  ~~~~
      16 |   j: {stage: refine, each: clips.out}

    pipeline.yaml:16:28: \`clips\` is a source: it has no outputs [bad-reference]
      14 |   h: {stage: pair, each: clips, inputs: {left: merged, right: merged}}
      15 |   i: {stage: pair, each: {left: clips}, inputs: {left: merged, right: merged}}
    > 16 |   j: {stage: refine, each: clips.out}
         |                            ~~~~~~~~~
      hint: write \`clips\`

    11 problems
    "
  `);
});

test('reports missing inputs and params', async () => {
  const yaml = `version: 1
nodes:
  a: {stage: train}
  b:
    stage: pair
    inputs: {left: a.model}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:3: node \`a\` does not bind the input \`features\` of stage \`train\` (a tree) [missing-input]
      1 | version: 1
      2 | nodes:
    > 3 |   a: {stage: train}
        |   ~
      4 |   b:
      5 |     stage: pair
      hint: write \`inputs: {features: …}\`

    pipeline.yaml:3:3: node \`a\` gives no value for the param \`fold\` of stage \`train\` [missing-param]
      1 | version: 1
      2 | nodes:
    > 3 |   a: {stage: train}
        |   ~
      4 |   b:
      5 |     stage: pair
      hint: \`fold\`: held out

    pipeline.yaml:6:5: node \`b\` does not bind the input \`right\` of stage \`pair\` (a file) [missing-input]
      4 |   b:
      5 |     stage: pair
    > 6 |     inputs: {left: a.model}
        |     ~~~~~~
      hint: add \`right: …\` to \`inputs\`

    3 problems
    "
  `);
});

test('reports params of the wrong type at their own place', async () => {
  const yaml = `version: 1
vars: {rate: fast, folds: [one, 2]}
nodes:
  a:
    stage: make
    params:
      count: 0
      label: 3
  b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
  c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
  d:
    stage: train
    matrix: {fold: '\${vars.folds}'}
    inputs: {features: a}
    params: {fold: '\${matrix.fold}'}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:7:14: \`count\` must be >= 1, not \`0\` [bad-value]
      5 |     stage: make
      6 |     params:
    > 7 |       count: 0
        |              ~
      8 |       label: 3
      9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}

    pipeline.yaml:8:14: \`label\` must be a text, not \`3\` [bad-value]
       6 |     params:
       7 |       count: 0
    >  8 |       label: 3
         |              ~
       9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
      10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}

    pipeline.yaml:9:59: \`fold\` must be a whole number, not \`1.5\` [bad-value]
       7 |       count: 0
       8 |       label: 3
    >  9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
         |                                                           ~~~
      10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
      11 |   d:

    pipeline.yaml:9:75: item 2 of \`sizes\` must be a whole number, not the text \`two\` [bad-value]
       7 |       count: 0
       8 |       label: 3
    >  9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
         |                                                                           ~~~
      10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
      11 |   d:

    pipeline.yaml:10:37: \`d\` has 2 outputs; say which [bad-reference]
       8 |       label: 3
       9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
    > 10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
         |                                     ~
      11 |   d:
      12 |     stage: train
      hint: write \`d[fold=*].model\`, \`d[fold=*].predictions\`

    pipeline.yaml:10:56: \`rate\` must be a number, not the text \`fast\` (through \${vars.rate}) [bad-value]
       8 |       label: 3
       9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
    > 10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
         |                                                        ~~~~~~~~~~~~~~
      11 |   d:
      12 |     stage: train
    pipeline.yaml:2:14: \`fast\` stands here
      1 | version: 1
    > 2 | vars: {rate: fast, folds: [one, 2]}
        |              ~~~~
      3 | nodes:
      4 |   a:

    pipeline.yaml:15:20: \`fold\` must be a whole number, not the text \`one\` (through \${matrix.fold}) [bad-value]
      13 |     matrix: {fold: '\${vars.folds}'}
      14 |     inputs: {features: a}
    > 15 |     params: {fold: '\${matrix.fold}'}
         |                    ~~~~~~~~~~~~~~~~
    pipeline.yaml:2:28: \`one\` stands here
      1 | version: 1
    > 2 | vars: {rate: fast, folds: [one, 2]}
        |                            ~~~
      3 | nodes:
      4 |   a:

    7 problems
    "
  `);
  expect(await pipelineOf(yaml).mistakes({overrides: ['rate=slow', 'nodes.a.params.count=none']}))
    .toMatchInlineSnapshot(`
      "
      \`count\` must be a whole number, not the text \`none\` (from --set nodes.a.params.count=none) [bad-value]

      pipeline.yaml:8:14: \`label\` must be a text, not \`3\` [bad-value]
         6 |     params:
         7 |       count: 0
      >  8 |       label: 3
           |              ~
         9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
        10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}

      pipeline.yaml:9:59: \`fold\` must be a whole number, not \`1.5\` [bad-value]
         7 |       count: 0
         8 |       label: 3
      >  9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
           |                                                           ~~~
        10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
        11 |   d:

      pipeline.yaml:9:75: item 2 of \`sizes\` must be a whole number, not the text \`two\` [bad-value]
         7 |       count: 0
         8 |       label: 3
      >  9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
           |                                                                           ~~~
        10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
        11 |   d:

      pipeline.yaml:10:37: \`d\` has 2 outputs; say which [bad-reference]
         8 |       label: 3
         9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
      > 10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
           |                                     ~
        11 |   d:
        12 |     stage: train
        hint: write \`d[fold=*].model\`, \`d[fold=*].predictions\`

      pipeline.yaml:10:56: \`rate\` must be a number, not the text \`slow\` (through \${vars.rate}, set by --set rate=slow) [bad-value]
         8 |       label: 3
         9 |   b: {stage: train, inputs: {features: a}, params: {fold: 1.5, sizes: [1, two]}}
      > 10 |   c: {stage: refine, inputs: {item: d}, params: {rate: '\${vars.rate}'}}
           |                                                        ~~~~~~~~~~~~~~
        11 |   d:
        12 |     stage: train

      pipeline.yaml:15:20: \`fold\` must be a whole number, not the text \`one\` (through \${matrix.fold}) [bad-value]
        13 |     matrix: {fold: '\${vars.folds}'}
        14 |     inputs: {features: a}
      > 15 |     params: {fold: '\${matrix.fold}'}
           |                    ~~~~~~~~~~~~~~~~
      pipeline.yaml:2:28: \`one\` stands here
        1 | version: 1
      > 2 | vars: {rate: fast, folds: [one, 2]}
          |                            ~~~
        3 | nodes:
        4 |   a:

      7 problems
      "
    `);
});

test('shows the shortest of several cycles, and each other one', async () => {
  const yaml = `version: 1
nodes:
  a: {stage: refine, inputs: {item: b}}
  b: {stage: refine, inputs: {item: c}}
  c: {stage: pair, inputs: {left: a, right: d}}
  d: {stage: pair, inputs: {left: e, right: c}}
  e: {stage: refine, inputs: {item: e}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:5:45: nodes are made from each other in a circle: c -> d -> c [cycle]
      3 |   a: {stage: refine, inputs: {item: b}}
      4 |   b: {stage: refine, inputs: {item: c}}
    > 5 |   c: {stage: pair, inputs: {left: a, right: d}}
        |                                             ~
      6 |   d: {stage: pair, inputs: {left: e, right: c}}
      7 |   e: {stage: refine, inputs: {item: e}}
      hint: each node reads an output of the next; remove one of these inputs

    pipeline.yaml:7:37: \`e\` is made from itself [cycle]
      5 |   c: {stage: pair, inputs: {left: a, right: d}}
      6 |   d: {stage: pair, inputs: {left: e, right: c}}
    > 7 |   e: {stage: refine, inputs: {item: e}}
        |                                     ~
      hint: remove this input

    2 problems
    "
  `);
});

test('finds a cycle of three and names it from its first node on', async () => {
  const yaml = `version: 1
nodes:
  third: {stage: refine, inputs: {item: second}}
  first: {stage: refine, inputs: {item: third}}
  second: {stage: refine, inputs: {item: first}}
  last: {stage: merge, inputs: {parts: [second]}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:41: nodes are made from each other in a circle: third -> second -> first -> third [cycle]
      1 | version: 1
      2 | nodes:
    > 3 |   third: {stage: refine, inputs: {item: second}}
        |                                         ~~~~~~
      4 |   first: {stage: refine, inputs: {item: third}}
      5 |   second: {stage: refine, inputs: {item: first}}
      hint: each node reads an output of the next; remove one of these inputs
    "
  `);
});

test('lets variants of one node follow each other, and finds a cycle between variants', async () => {
  const chain = (last: string) => `version: 1
nodes:
  start: {stage: make}
  train:
    stage: train
    matrix: {step: [0, 1, 2]}
    inputs: {features: start, split: 'train[step=\${vars.previous.0}].model'}
    params: {fold: 0}
vars: {previous: ['${last}']}
`;
  expect(await mistakes(chain('2'))).toMatchInlineSnapshot(`
    "
    pipeline.yaml:7:38: \`train[step=2]\` is made from itself [cycle]
      5 |     stage: train
      6 |     matrix: {step: [0, 1, 2]}
    > 7 |     inputs: {features: start, split: 'train[step=\${vars.previous.0}].model'}
        |                                      ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      8 |     params: {fold: 0}
      9 | vars: {previous: ['2']}
      hint: remove this input
    "
  `);
});

test('reports circles of variables and of matrices', async () => {
  const yaml = `version: 1
vars: {a: '\${vars.b}', b: ['\${vars.c}'], c: {d: '\${vars.a}'}, e: '\${vars.e}', f: '\${train.x}'}
nodes:
  a: {stage: make, matrix: {x: '\${b.x}'}}
  b: {stage: make, matrix: {x: '\${a.x}'}}
  c: {stage: make, matrix: {x: '\${c.x}'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:50: variables refer to each other in a circle: a -> b -> c -> a [cycle]
      1 | version: 1
    > 2 | vars: {a: '\${vars.b}', b: ['\${vars.c}'], c: {d: '\${vars.a}'}, e: '\${vars.e}', f: '\${train.x}'}
        |                                                  ~~~~~~~~~
      3 | nodes:
      4 |   a: {stage: make, matrix: {x: '\${b.x}'}}

    pipeline.yaml:2:67: variables refer to each other in a circle: e -> e [cycle]
      1 | version: 1
    > 2 | vars: {a: '\${vars.b}', b: ['\${vars.c}'], c: {d: '\${vars.a}'}, e: '\${vars.e}', f: '\${train.x}'}
        |                                                                   ~~~~~~~~~
      3 | nodes:
      4 |   a: {stage: make, matrix: {x: '\${b.x}'}}

    pipeline.yaml:2:83: \`\${train.x}\` cannot stand in a variable [bad-reference]
      1 | version: 1
    > 2 | vars: {a: '\${vars.b}', b: ['\${vars.c}'], c: {d: '\${vars.a}'}, e: '\${vars.e}', f: '\${train.x}'}
        |                                                                                   ~~~~~~~~~~
      3 | nodes:
      4 |   a: {stage: make, matrix: {x: '\${b.x}'}}
      hint: a variable may refer to other variables: \`\${vars.name}\`

    pipeline.yaml:5:33: matrices refer to each other in a circle: a -> b -> a [cycle]
      3 | nodes:
      4 |   a: {stage: make, matrix: {x: '\${b.x}'}}
    > 5 |   b: {stage: make, matrix: {x: '\${a.x}'}}
        |                                 ~~~~~~
      6 |   c: {stage: make, matrix: {x: '\${c.x}'}}

    pipeline.yaml:6:33: matrices refer to each other in a circle: c -> c [cycle]
      4 |   a: {stage: make, matrix: {x: '\${b.x}'}}
      5 |   b: {stage: make, matrix: {x: '\${a.x}'}}
    > 6 |   c: {stage: make, matrix: {x: '\${c.x}'}}
        |                                 ~~~~~~

    5 problems
    "
  `);
});

test('reports mistakes of matrices', async () => {
  const yaml = `version: 1
vars: {none: [], map: {a: 1}}
nodes:
  a: {stage: make, matrix: {x: '\${vars.none}'}}
  b: {stage: make, matrix: {x: [1, 2, '1']}}
  c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when: {v: 1}}}
  d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
  e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}
  f: {stage: make, matrix: {x: '\${vars.map}'}}
  g: {stage: make, matrix: {x: '\${matrix.y}', y: [1]}}
  h: {stage: merge, inputs: {parts: 'a[*]'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:20: the matrix has no variant: axis \`x\` has no values [empty-matrix]
      2 | vars: {none: [], map: {a: 1}}
      3 | nodes:
    > 4 |   a: {stage: make, matrix: {x: '\${vars.none}'}}
        |                    ~~~~~~
      5 |   b: {stage: make, matrix: {x: [1, 2, '1']}}
      6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…

    pipeline.yaml:5:39: axis \`x\` has the value \`1\` twice [duplicate-variant]
      3 | nodes:
      4 |   a: {stage: make, matrix: {x: '\${vars.none}'}}
    > 5 |   b: {stage: make, matrix: {x: [1, 2, '1']}}
        |                                       ~~~
      6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…
      7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}

    pipeline.yaml:6:59: the matrix has no axis \`z\`; the axes are \`x\`, \`y\` [unknown-axis]
      4 |   a: {stage: make, matrix: {x: '\${vars.none}'}}
      5 |   b: {stage: make, matrix: {x: [1, 2, '1']}}
    > 6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…
        |                                                           ~
      7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
      8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}

    pipeline.yaml:6:77: an included variant names every axis; \`y\` is missing [bad-value]
      4 |   a: {stage: make, matrix: {x: '\${vars.none}'}}
      5 |   b: {stage: make, matrix: {x: [1, 2, '1']}}
    > 6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…
        |                                                                             ~~~~~~
      7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
      8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}

    pipeline.yaml:6:98: the matrix has no axis \`w\`; the axes are \`x\`, \`y\` [unknown-axis]
      4 | …'}}
      5 | …
    > 6 | …], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when: {v: 1}}}
        |                                                       ~
      7 | …de: [{x: 2}]}}
      8 | …de: [{x: 1}, {x: 2}]}}

    pipeline.yaml:6:113: the matrix has no axis \`v\`; the axes are \`x\`, \`y\` [unknown-axis]
      4 |
      5 |
    > 6 | …: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when: {v: 1}}}
        |                                                       ~
      7 |
      8 | …: 2}]}}

    pipeline.yaml:7:50: the variant \`x=2\` is already in the matrix [duplicate-variant]
      5 |   b: {stage: make, matrix: {x: [1, 2, '1']}}
      6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…
    > 7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
        |                                                  ~~~~~~
      8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}
      9 |   f: {stage: make, matrix: {x: '\${vars.map}'}}

    pipeline.yaml:8:20: the matrix has no variant: \`exclude\` and \`when\` leave none [empty-matrix]
       6 |   c: {stage: make, matrix: {x: [1, 2], y: [1], exclude: [{z: 1}], include: [{x: 3}, {x: 1, y: 1, w: 1}], when…
       7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
    >  8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}
         |                    ~~~~~~
       9 |   f: {stage: make, matrix: {x: '\${vars.map}'}}
      10 |   g: {stage: make, matrix: {x: '\${matrix.y}', y: [1]}}

    pipeline.yaml:9:32: a value of an axis must be a text, a number or true/false, not a mapping (through \${vars.map}) [bad-value]
       7 |   d: {stage: make, matrix: {x: [1, 2], include: [{x: 2}]}}
       8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}
    >  9 |   f: {stage: make, matrix: {x: '\${vars.map}'}}
         |                                ~~~~~~~~~~~~~
      10 |   g: {stage: make, matrix: {x: '\${matrix.y}', y: [1]}}
      11 |   h: {stage: merge, inputs: {parts: 'a[*]'}}

    pipeline.yaml:10:33: an axis cannot refer to another axis [bad-reference]
       8 |   e: {stage: make, matrix: {x: [1, 2], exclude: [{x: 1}, {x: 2}]}}
       9 |   f: {stage: make, matrix: {x: '\${vars.map}'}}
    > 10 |   g: {stage: make, matrix: {x: '\${matrix.y}', y: [1]}}
         |                                 ~~~~~~~~~~~
      11 |   h: {stage: merge, inputs: {parts: 'a[*]'}}
      hint: refer to a variable or to an axis of another node

    10 problems
    "
  `);
});

test('reports references that are code, not closed or of an unknown kind', async () => {
  const yaml = `version: 1
nodes:
  a: {stage: make, params: {label: '\${vars.x + 1}'}}
  b: {stage: make, params: {label: 'x \${vars'}}
  c: {stage: make, params: {label: '\${env.HOME}'}}
  d: {stage: make, params: {label: '\${b.x}'}, timeout: '\${matrix.x}'}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:37: \`\${vars.x + 1}\` is not a reference; expressions are references, never code [bad-reference]
      1 | version: 1
      2 | nodes:
    > 3 |   a: {stage: make, params: {label: '\${vars.x + 1}'}}
        |                                     ~~~~~~~~~~~~~
      4 |   b: {stage: make, params: {label: 'x \${vars'}}
      5 |   c: {stage: make, params: {label: '\${env.HOME}'}}
      hint: a reference is \`\${vars.name}\` or \`\${matrix.axis}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:4:39: \`\${\` is not closed by \`}\` [bad-reference]
      2 | nodes:
      3 |   a: {stage: make, params: {label: '\${vars.x + 1}'}}
    > 4 |   b: {stage: make, params: {label: 'x \${vars'}}
        |                                       ~~~~~~
      5 |   c: {stage: make, params: {label: '\${env.HOME}'}}
      6 |   d: {stage: make, params: {label: '\${b.x}'}, timeout: '\${matrix.x}'}
      hint: a reference is \`\${vars.name}\` or \`\${matrix.axis}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:5:37: \`\${env.HOME}\` refers to nothing [bad-reference]
      3 |   a: {stage: make, params: {label: '\${vars.x + 1}'}}
      4 |   b: {stage: make, params: {label: 'x \${vars'}}
    > 5 |   c: {stage: make, params: {label: '\${env.HOME}'}}
        |                                     ~~~~~~~~~~~
      6 |   d: {stage: make, params: {label: '\${b.x}'}, timeout: '\${matrix.x}'}
      hint: what can be referred to here: \`\${vars.…}\`, \`\${matrix.…}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:6:37: \`\${b.x}\` refers to nothing [bad-reference]
      4 |   b: {stage: make, params: {label: 'x \${vars'}}
      5 |   c: {stage: make, params: {label: '\${env.HOME}'}}
    > 6 |   d: {stage: make, params: {label: '\${b.x}'}, timeout: '\${matrix.x}'}
        |                                     ~~~~~~
      hint: what can be referred to here: \`\${vars.…}\`, \`\${matrix.…}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:6:57: node \`d\` has no axis \`x\` [unknown-axis]
      4 |   b: {stage: make, params: {label: 'x \${vars'}}
      5 |   c: {stage: make, params: {label: '\${env.HOME}'}}
    > 6 |   d: {stage: make, params: {label: '\${b.x}'}, timeout: '\${matrix.x}'}
        |                                                         ~~~~~~~~~~~
      hint: the node has no matrix

    5 problems
    "
  `);
});

test('reports values of the wrong kind that come through references', async () => {
  const yaml = `version: 1
vars: {cores: many, list: [1], time: 3 hours, map: {a: b}}
nodes:
  a:
    stage: make
    params: {label: 'x\${vars.list}'}
    resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
    timeout: '\${vars.time}'
    retries: '\${vars.cores}'
    salt: '\${vars.map}'
    seed: 3
  b: {stage: train, inputs: {features: '\${vars.list}', split: '\${vars.map}'}, params: {fold: 1}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:6:23: \`\${vars.list}\` is a list, which cannot stand inside a text [bad-value]
      4 |   a:
      5 |     stage: make
    > 6 |     params: {label: 'x\${vars.list}'}
        |                       ~~~~~~~~~~~~
      7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
      8 |     timeout: '\${vars.time}'

    pipeline.yaml:7:22: \`cpu\` must be a number of cores above 0, not the text \`many\` (through \${vars.cores}) [bad-value]
      5 |     stage: make
      6 |     params: {label: 'x\${vars.list}'}
    > 7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
        |                      ~~~~~~~~~~~~~~~
      8 |     timeout: '\${vars.time}'
      9 |     retries: '\${vars.cores}'

    pipeline.yaml:7:44: \`gpu\` must be a whole number of devices, or a fraction below 1, not a list (through \${vars.list}) [bad-value]
      5 |     stage: make
      6 |     params: {label: 'x\${vars.list}'}
    > 7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
        |                                            ~~~~~~~~~~~~~~
      8 |     timeout: '\${vars.time}'
      9 |     retries: '\${vars.cores}'

    pipeline.yaml:7:71: \`whenNoGpu\` must be \`cpu\` or \`fail\`, not the text \`many\` (through \${vars.cores}) [bad-value]
      5 |     stage: make
      6 |     params: {label: 'x\${vars.list}'}
    > 7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
        |                                                                       ~~~~~~~~~~~~~~~
      8 |     timeout: '\${vars.time}'
      9 |     retries: '\${vars.cores}'

    pipeline.yaml:8:14: \`timeout\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`3 hours\` (through \${vars.time}) [bad-value]
       6 |     params: {label: 'x\${vars.list}'}
       7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
    >  8 |     timeout: '\${vars.time}'
         |              ~~~~~~~~~~~~~~
       9 |     retries: '\${vars.cores}'
      10 |     salt: '\${vars.map}'

    pipeline.yaml:9:14: \`retries\` must be a whole number, 0 ... 100, not the text \`many\` (through \${vars.cores}) [bad-value]
       7 |     resources: {cpu: '\${vars.cores}', gpu: '\${vars.list}', whenNoGpu: '\${vars.cores}'}
       8 |     timeout: '\${vars.time}'
    >  9 |     retries: '\${vars.cores}'
         |              ~~~~~~~~~~~~~~~
      10 |     salt: '\${vars.map}'
      11 |     seed: 3

    pipeline.yaml:10:11: this must be a text, not a mapping (through \${vars.map}) [bad-value]
       8 |     timeout: '\${vars.time}'
       9 |     retries: '\${vars.cores}'
    > 10 |     salt: '\${vars.map}'
         |           ~~~~~~~~~~~~~
      11 |     seed: 3
      12 |   b: {stage: train, inputs: {features: '\${vars.list}', split: '\${vars.map}'}, params: {fold: 1}}

    pipeline.yaml:11:5: stage \`make\` does not use a seed [bad-value]
       9 |     retries: '\${vars.cores}'
      10 |     salt: '\${vars.map}'
    > 11 |     seed: 3
         |     ~~~~
      12 |   b: {stage: train, inputs: {features: '\${vars.list}', split: '\${vars.map}'}, params: {fold: 1}}
      hint: remove \`seed\`, or let the stage say \`seeded: true\`

    pipeline.yaml:12:40: a reference must be a text, not \`1\` (through \${vars.list}) [bad-value]
      10 |     salt: '\${vars.map}'
      11 |     seed: 3
    > 12 |   b: {stage: train, inputs: {features: '\${vars.list}', split: '\${vars.map}'}, params: {fold: 1}}
         |                                        ~~~~~~~~~~~~~~

    pipeline.yaml:12:63: a reference must be a text, not a mapping (through \${vars.map}) [bad-value]
      10 |     salt: '\${vars.map}'
      11 |     seed: 3
    > 12 |   b: {stage: train, inputs: {features: '\${vars.list}', split: '\${vars.map}'}, params: {fold: 1}}
         |                                                               ~~~~~~~~~~~~~

    10 problems
    "
  `);
});

test('reports shared names and reserved ones', async () => {
  const yaml = `version: 1
sources: {a: data}
nodes:
  a: {stage: make}
  vars: {stage: make}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:3: \`a\` is a source and a node: names are shared [bad-value]
      2 | sources: {a: data}
      3 | nodes:
    > 4 |   a: {stage: make}
        |   ~
      5 |   vars: {stage: make}
      hint: rename one of them

    pipeline.yaml:5:3: \`vars\` cannot name a node: \`\${vars.…}\` means something else [bad-value]
      3 | nodes:
      4 |   a: {stage: make}
    > 5 |   vars: {stage: make}
        |   ~~~~

    2 problems
    "
  `);
});

test('reports a mistake of many variants once', async () => {
  const yaml = `version: 1
nodes:
  a: {stage: make}
  b:
    stage: train
    matrix: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9], y: [1, 2, 3, 4, 5, 6, 7, 8, 9]}
    inputs: {features: 'a\${matrix.x}'}
    params: {fold: 'n\${matrix.y}'}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:7:24: there is no node or source \`a1\` (through \${matrix.x}) [unknown-node]
      5 |     stage: train
      6 |     matrix: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9], y: [1, 2, 3, 4, 5, 6, 7, 8, 9]}
    > 7 |     inputs: {features: 'a\${matrix.x}'}
        |                        ~~~~~~~~~~~~~~
      8 |     params: {fold: 'n\${matrix.y}'}
      hint: did you mean \`a\`?

    pipeline.yaml:8:20: \`fold\` must be a whole number, not the text \`n1\` (through \${matrix.y}) [bad-value]
      6 |     matrix: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9], y: [1, 2, 3, 4, 5, 6, 7, 8, 9]}
      7 |     inputs: {features: 'a\${matrix.x}'}
    > 8 |     params: {fold: 'n\${matrix.y}'}
        |                    ~~~~~~~~~~~~~~

    2 problems
    "
  `);
});

test('ends a very long list of mistakes with their number', async () => {
  const nodes = Array.from({length: 300}, (_, index) => `  n${index}: {stage: make, parms: {}}`).join('\n');
  const text = await mistakes(`version: 1\nnodes:\n${nodes}\n`);
  expect(text.slice(-90)).toMatchInlineSnapshot(`
    "  hint: did you mean \`params\`?

    and 100 more problems in pipeline.yaml [schema-violation]
    "
  `);
});

test('reports stages that cannot be used, each once', async () => {
  const {mistakes: found} = project({
    'stages/broken.ts': `import {defineStage} from 'mixdown/stage';\n\nexport default defineStage({\n  name: 'broken'\n  summary: 'no comma above',\n});\n`,
    'stages/lost.ts': `import {nothing} from './lib/nothing.ts';\nexport default nothing;\n`,
    'stages/throws.ts': `throw new Error('no luck');\n`,
    'stages/empty.ts': `export const x = 1;\n`,
    'stages/odd.ts': stage('even', {
      params: `{a: {type: 'integer', minimum: 2, default: 1, about: 'a'}, b: {about: 'b'}}`,
      inputs: `{i: {kind: 'folder', about: 'i'}}`,
      outputs: `{o: {kind: 'file', name: '../o', about: 'o'}}`,
    }),
    'stages/even.ts': stage('odd', {
      outputs: `{o: {kind: 'file', name: '../o', about: 'o'}, p: {kind: 'file', name: 'x', about: 'o'}, q: {kind: 'file', name: 'X', about: 'o'}}`,
      params: `{a: {type: 'integer', minimum: 2, default: 1, about: 'a'}}`,
    }),
    'stages/twice.ts': stage('twice', {outputs: `{o: {kind: 'file', name: 'o', about: 'o'}}`}),
    'stages/twice.js': 'export default 1;\n',
    'stages/api.ts': `import {loadPipeline} from 'mixdown';\nexport default loadPipeline;\n`,
    'pipeline.yaml': `version: 1
nodes:
  a: {stage: broken}
  b: {stage: broken, inputs: {x: a}}
  c: {stage: lost}
  d: {stage: throws}
  e: {stage: empty}
  f: {stage: odd}
  g: {stage: even}
  h: {stage: twice}
  i: {stage: api}
  j: {stage: command}
  k: {stage: merge, inputs: {parts: [a.x, h.y]}}
`,
  });
  expect(await found()).toMatchInlineSnapshot(`
    "
    pipeline.yaml:6:14: stage \`throws\` (stages/throws.ts) fails while it is loaded: no luck [stage-invalid]
      4 |   b: {stage: broken, inputs: {x: a}}
      5 |   c: {stage: lost}
    > 6 |   d: {stage: throws}
        |              ~~~~~~
      7 |   e: {stage: empty}
      8 |   f: {stage: odd}
      hint: top-level code runs before any node does; keep what can fail inside \`run\`

    pipeline.yaml:7:14: stage \`empty\` (stages/empty.ts) is declared wrongly: the module must export a stage by default: \`export default defineStage({…})\` [stage-invalid]
      5 |   c: {stage: lost}
      6 |   d: {stage: throws}
    > 7 |   e: {stage: empty}
        |              ~~~~~
      8 |   f: {stage: odd}
      9 |   g: {stage: even}

    pipeline.yaml:8:14: stage \`odd\` (stages/odd.ts) is declared wrongly: in \`params\`: \`b\` needs \`type\`; in \`inputs.i\`: \`kind\` must be \`file\` or \`tree\`, not the text \`folder\` [stage-invalid]
       6 |   d: {stage: throws}
       7 |   e: {stage: empty}
    >  8 |   f: {stage: odd}
         |              ~~~
       9 |   g: {stage: even}
      10 |   h: {stage: twice}

    pipeline.yaml:9:14: stage \`even\` (stages/even.ts) is declared wrongly: \`name\` is \`odd\`, and the file is called \`even\`; \`outputs.o.name\`: \`../o\` is not a plain file name; outputs \`p\` and \`q\` have the same name \`X\`; default of \`params.a\`: \`a\` must be >= 2, not \`1\` [stage-invalid]
       7 |   e: {stage: empty}
       8 |   f: {stage: odd}
    >  9 |   g: {stage: even}
         |              ~~~~
      10 |   h: {stage: twice}
      11 |   i: {stage: api}

    pipeline.yaml:10:14: stage \`twice\` is written twice: stages/twice.js and stages/twice.ts [stage-invalid]
       8 |   f: {stage: odd}
       9 |   g: {stage: even}
    > 10 |   h: {stage: twice}
         |              ~~~~~
      11 |   i: {stage: api}
      12 |   j: {stage: command}
      hint: remove one of the files

    pipeline.yaml:12:14: unknown stage \`command\` [unknown-stage]
      10 |   h: {stage: twice}
      11 |   i: {stage: api}
    > 12 |   j: {stage: command}
         |              ~~~~~~~
      13 |   k: {stage: merge, inputs: {parts: [a.x, h.y]}}
      hint: a command node has \`command: [program, argument]\` and no \`stage\`

    stages/api.ts:1:28: stage \`api\` does not compile: a stage cannot import \`mixdown\`; of mixdown it may import only \`mixdown/stage\` [stage-compile-error]
    > 1 | import {loadPipeline} from 'mixdown';
        |                            ~~~~~~~~~
      2 | export default loadPipeline;

    stages/broken.ts:5:3: stage \`broken\` does not compile: Expected "}" but found "summary" [stage-compile-error]
      3 | export default defineStage({
      4 |   name: 'broken'
    > 5 |   summary: 'no comma above',
        |   ~~~~~~~
      6 | });

    stages/lost.ts:1:23: stage \`lost\` does not compile: Could not resolve "./lib/nothing.ts" [stage-compile-error]
    > 1 | import {nothing} from './lib/nothing.ts';
        |                       ~~~~~~~~~~~~~~~~~~
      2 | export default nothing;

    9 problems
    "
  `);
});
