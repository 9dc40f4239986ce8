import {expect, test} from 'vitest';
import {commandStage} from '../../../src/config/command-node.ts';
import {pipelineOf, project, stage} from './support.ts';

test('prepares argv, environment and ports', async () => {
  const {nodes, stages} = await project({
    'plot.gp': 'plot',
    'data/x.csv': 'x',
    'pipeline.yaml': `version: 1
vars: {flags: [-a, -b], n: 3}
sources: {script: plot.gp, data: data}
nodes:
  many: {stage: train, matrix: {fold: [1, 2]}, inputs: {features: data}, params: {fold: 1}}
  plot:
    command: [gnuplot, '\${inputs.plot.gp}', '\${vars.flags}', '-n\${vars.n}', 3, true, '\${params.sizes}', '\${outputs.plot}', '\${seed}']
    matrix: {kind: [roc, det]}
    inputs: {plot.gp: script, data: data, models: 'many[*].model', one: ['many[fold=1].model']}
    outputs: {plot: 'plots/\${matrix.kind}.svg', log: {path: log, kind: tree}, text: {path: t.txt, display: true}, c: {path: c.csv, show: curve}}
    params: {sizes: [1, 2], kind: '\${matrix.kind}'}
    env: {LC_ALL: C, KIND: '\${matrix.kind}', N: 4, D: '\${inputs.data}'}
    passEnv: [HOME]
    scratch: ['*.tmp']
    timeout: 5m
    resources: {cpu: 2}
`,
  }).pipeline();
  const plot = nodes.find(({id}) => id === 'plot[kind=det]');
  expect(plot).toMatchObject({
    stage: 'command',
    command: {
      form: 'argv',
      argv: ['gnuplot', 'plot.gp', '-a', '-b', '-n3', '3', 'true', '1', '2', 'plots/det.svg', String(plot?.seed)],
      env: {LC_ALL: 'C', KIND: 'det', N: '4', D: 'data'},
      passEnv: ['HOME'],
      scratch: ['*.tmp'],
    },
    ports: {
      'plot.gp': {kind: 'file'},
      data: {kind: 'tree'},
      models: {kind: 'file', many: true},
      one: {kind: 'file', many: true},
    },
    outputs: {
      plot: {kind: 'file', name: 'plots/det.svg'},
      log: {kind: 'tree', name: 'log'},
      text: {kind: 'file', name: 't.txt', display: true},
      c: {kind: 'file', name: 'c.csv', show: 'curve'},
    },
    timeoutMs: 300_000,
    resources: {cpu: 2},
  });
  expect(plot?.seed).toBeGreaterThan(0);
  expect(plot?.params).toEqual({
    sizes: [1, 2],
    kind: 'det',
    $command: {argv: plot?.command?.form === 'argv' ? plot.command.argv : [], env: plot?.command?.env},
  });
  expect(stages['command']).toEqual(commandStage);
});

test('prepares a shell script, with literal shell variables', async () => {
  const {nodes} = await pipelineOf(`version: 1
sources: {words: data}
nodes:
  count:
    shell: bash -euo pipefail
    script: |
      for f in $files; do wc -l "$\${f}"; done > \${outputs.counts}
      echo \${params.unit}
    each: {word.txt: words}
    outputs: {counts: counts.txt}
    params: {unit: lines}
  listed: {shell: [sh, -c x], script: 'true', outputs: {a: a}}
  used: {command: [cat, count], inputs: {count: count}, outputs: {all: all.txt}}
`).pipeline();
  expect(nodes[0]).toMatchObject({
    seed: 0,
    each: [{port: 'word.txt', collection: {from: 'source', source: 'words'}}],
    ports: {'word.txt': {kind: 'file'}},
    command: {
      form: 'shell',
      shell: ['bash', '-euo', 'pipefail'],
      script: 'for f in $files; do wc -l "${f}"; done > counts.txt\necho lines\n',
    },
  });
  expect(nodes[1]?.command).toMatchObject({shell: ['sh', '-c x'], script: 'true'});
  expect(nodes[2]?.ports).toEqual({count: {kind: 'tree'}});
});

test('reports mistakes of commands', async () => {
  const yaml = `version: 1
sources: {words: data}
nodes:
  a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
  b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
  c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
  d: {command: [ls], each: words, outputs: {o: o}}
  e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}}}
  f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}, outputs: {o: o}}
  g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
  h: {command: [], outputs: {}}
  i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}
`;
  expect(await pipelineOf(yaml).mistakes()).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:22: the command has no input \`x\` [unknown-input]
      2 | sources: {words: data}
      3 | nodes:
    > 4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
        |                      ~~~~~~~~~~~
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
      hint: did you mean \`xx\`?

    pipeline.yaml:4:37: the command has no output \`y\` [unknown-output]
      2 | sources: {words: data}
      3 | nodes:
    > 4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
        |                                     ~~~~~~~~~~~~
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
      hint: known: \`o\`

    pipeline.yaml:4:53: the command has no param \`z\` [unknown-param]
      2 | sources: {words: data}
      3 | nodes:
    > 4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
        |                                                     ~~~~~~~~~~~
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
      hint: add it to \`params\`

    pipeline.yaml:4:68: node \`a\` has no axis \`w\` [unknown-axis]
      2 | sources: {words: data}
      3 | nodes:
    > 4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
        |                                                                    ~~~~~~~~~~~
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
      hint: the node has no matrix

    pipeline.yaml:4:83: \`\${env.HOME}\` refers to nothing [bad-reference]
      2 |
      3 |
    > 4 | ….x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
        |                                                       ~~~~~~~~~~~
      5 | …cho \${HOME}', outputs: {o: o}}
      6 | …{In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
      hint: what can be referred to here: \`\${vars.…}\`, \`\${matrix.…}\`, \`\${inputs.…}\`, \`\${outputs.…}\`, \`\${params.…}\`, \`\${seed}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:5:34: \`\${HOME}\` refers to nothing [bad-reference]
      3 | nodes:
      4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
    > 5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
        |                                  ~~~~~~~
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
      7 |   d: {command: [ls], each: words, outputs: {o: o}}
      hint: what can be referred to here: \`\${vars.…}\`, \`\${matrix.…}\`, \`\${inputs.…}\`, \`\${outputs.…}\`, \`\${params.…}\`, \`\${seed}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:6:66: output \`a\`: the path \`../a\` leads out of the folder [bad-value]
      4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
    > 6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
        |                                                                  ~~~~
      7 |   d: {command: [ls], each: words, outputs: {o: o}}
      8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
      hint: an output path is relative to the working directory of the command, such as \`plots/roc.svg\`

    pipeline.yaml:6:75: output \`b\`: the path \`/b\` is not relative [bad-value]
      4 |   a: {command: [ls, '\${inputs.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx:…
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
    > 6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
        |                                                                           ~~
      7 |   d: {command: [ls], each: words, outputs: {o: o}}
      8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
      hint: an output path is relative to the working directory of the command, such as \`plots/roc.svg\`

    pipeline.yaml:6:82: output \`c\` would be written over the input \`In\` [duplicate-output-path]
      4 | …s.x}', '\${outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 | …echo \${HOME}', outputs: {o: o}}
    > 6 | … {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~~~~
      7 | …ords, outputs: {o: o}}
      8 | …w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}}}

    pipeline.yaml:6:91: output \`d\` would be written over the input \`d\` [duplicate-output-path]
      4 | …{outputs.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 | …ME}', outputs: {o: o}}
    > 6 | …ds, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~
      7 | …puts: {o: o}}
      8 | …, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}}}

    pipeline.yaml:6:97: output \`e\`: the path \`x\\y\` has a backslash; write \`/\` [bad-value]
      4 | …ts.y}', '\${params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 | …outputs: {o: o}}
    > 6 | … words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~~~~~
      7 | …{o: o}}
      8 | …ts: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}}}
      hint: an output path is relative to the working directory of the command, such as \`plots/roc.svg\`

    pipeline.yaml:6:107: output \`f\`: the path \`./f\` has an empty or \`.\` part [bad-value]
      4 | …{params.z}', '\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 | …o: o}}
    > 6 | …utputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~~~
      7 |
      8 | …rds}, outputs: {o: {path: o, kind: tree, optional: true}}}
      hint: an output path is relative to the working directory of the command, such as \`plots/roc.svg\`

    pipeline.yaml:6:121: outputs \`g\` and \`h\` have the same path \`X\` [duplicate-output-path]
      4 | …\${matrix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 |
    > 6 | …/a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~
      7 |
      8 | … {o: {path: o, kind: tree, optional: true}}}

    pipeline.yaml:6:127: output \`i\` lies inside output \`h\` [duplicate-output-path]
      4 | …ix.w}', '\${env.HOME}'], inputs: {xx: words}, outputs: {o: o}}
      5 |
    > 6 | … /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
        |                                                       ~~~
      7 |
      8 | …path: o, kind: tree, optional: true}}}

    pipeline.yaml:7:28: a command says which input gets the item of \`each\` [bad-reference]
      5 |   b: {shell: bash, script: 'echo \${HOME}', outputs: {o: o}}
      6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
    > 7 |   d: {command: [ls], each: words, outputs: {o: o}}
        |                            ~~~~~
      8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
      9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
      hint: write \`each: {NAME: words}\`; the item is then the file NAME

    pipeline.yaml:8:49: input \`w\` is bound twice: here and by \`each\` [bad-value]
       6 |   c: {command: [ls], inputs: {In: words, d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f…
       7 |   d: {command: [ls], each: words, outputs: {o: o}}
    >  8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
         |                                                 ~
       9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}

    pipeline.yaml:8:95: output \`o\` cannot be optional: only a file under \`each\` may be left unwritten [bad-value]
       6 | …d: words}, outputs: {a: ../a, b: /b, c: in/x, d: d, e: 'x\\y', f: ./f, g: x, h: X, i: x/y}}
       7 | …: {o: o}}
    >  8 | …puts: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}}}
         |                                                       ~~~~~~~~
       9 | …params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}, outputs: {o: o}}
      10 | …}, outputs: {o: {path: o, optional: true}}}
      hint: a tree may be left empty

    pipeline.yaml:9:21: an argument is a text, not a mapping [bad-value]
       7 |   d: {command: [ls], each: words, outputs: {o: o}}
       8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
    >  9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
         |                     ~~~~~~~~~~~~~~~
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}

    pipeline.yaml:9:40: \`\${params.list}\` is a list, which cannot stand inside a text [bad-value]
       7 |   d: {command: [ls], each: words, outputs: {o: o}}
       8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
    >  9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
         |                                        ~~~~~~~~~~~~~~
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}

    pipeline.yaml:9:58: \`\${params.list.7}\` refers to nothing [unknown-param]
       7 |   d: {command: [ls], each: words, outputs: {o: o}}
       8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
    >  9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
         |                                                          ~~~~~~~~~~~~~~~~
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}

    pipeline.yaml:10:31: the param name \`$command\` is reserved [bad-value]
       8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
       9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
    > 10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
         |                               ~~~~~~~~
      11 |   h: {command: [], outputs: {}}
      12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}

    pipeline.yaml:10:68: output \`o\` cannot be optional: only a file under \`each\` may be left unwritten [bad-value]
       8 |   e: {command: [ls], each: {w: words}, inputs: {w: words}, outputs: {o: {path: o, kind: tree, optional: true}…
       9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
    > 10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
         |                                                                    ~~~~~~~~
      11 |   h: {command: [], outputs: {}}
      12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}

    pipeline.yaml:11:7: \`command\` must not be empty [schema-violation]
       9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
    > 11 |   h: {command: [], outputs: {}}
         |       ~~~~~~~
      12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}

    pipeline.yaml:11:20: \`outputs\` must not be empty [schema-violation]
       9 |   f: {command: [ls, '\${params.map}', 'x\${params.list}', '\${params.list.7}'], params: {map: {a: 1}, list: [1]}…
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
    > 11 |   h: {command: [], outputs: {}}
         |                    ~~~~~~~
      12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}

    pipeline.yaml:12:45: \`A B\` cannot be a name here: it must be the name of an environment variable [bad-value]
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}
    > 12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}
         |                                             ~~~

    pipeline.yaml:12:64: item 1 of \`passEnv\` must be the name of an environment variable, not \`1\` [schema-violation]
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}
    > 12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}
         |                                                                ~

    pipeline.yaml:12:77: \`a/../b\` cannot be a name here: it must be a relative path of letters, digits, \`.\`, \`-\`, \`_\` and \`/\` [bad-value]
      10 |   g: {command: [ls], params: {$command: 1}, outputs: {o: {path: o, optional: true}}}
      11 |   h: {command: [], outputs: {}}
    > 12 |   i: {command: [ls], outputs: {o: o}, env: {A B: x}, passEnv: [1], inputs: {'a/../b': words}}
         |                                                                             ~~~~~~~~

    27 problems
    "
  `);
});

test('lays inputs at paths, and reports those in the way of each other or of outputs', async () => {
  const yaml = (inputs: string, outputs: string) => `version: 1
sources: {words: words.txt}
nodes:
  a: {command: [ls], inputs: {${inputs}}, outputs: {${outputs}}}
`;
  const at = (inputs: string, outputs: string) =>
    project({'words.txt': 'a', 'pipeline.yaml': yaml(inputs, outputs)}).mistakes();
  const {nodes} = await project({
    'words.txt': 'a',
    'pipeline.yaml': yaml('src/a.py: words, src/b.py: words', 'o: src/o, p: data/p'),
  }).pipeline();
  expect(nodes[0]?.ports).toEqual({'src/a.py': {kind: 'file'}, 'src/b.py': {kind: 'file'}});
  const first = async (inputs: string, outputs: string) => (await at(inputs, outputs)).split('\n')[1];
  expect(await first('src: words, src/a/b.py: words', 'o: o')).toBe(
    'pipeline.yaml:4:43: input `src/a/b.py` lies inside input `src` [bad-value]',
  );
  expect(await first('src/a: words, src/A: words', 'o: o')).toBe(
    'pipeline.yaml:4:45: inputs `src/a` and `src/A` have the same path where case does not matter [bad-value]',
  );
  expect(await first('src/a: words', 'o: {path: SRC, kind: tree}')).toBe(
    'pipeline.yaml:4:66: the input `src/a` lies inside output `o` [duplicate-output-path]',
  );
  expect(await first('src/a: words', 'o: src/a/o')).toBe(
    'pipeline.yaml:4:59: output `o` would be written over the input `src/a` [duplicate-output-path]',
  );
  expect(await first('/a: words', 'o: o')).toContain('`/a` cannot be a name here');
});

test('only a .csv file is shown as a curve and the like', async () => {
  const command = await project({
    'pipeline.yaml': 'version: 1\nnodes: {a: {command: [ls], outputs: {o: {path: o, kind: tree, show: bars}}}}\n',
  }).mistakes();
  expect(command).toContain('output `o` cannot be shown so: only a .csv file can [bad-value]');
  const declared = (show: string, name = 'o.csv'): Promise<string> =>
    project({
      'stages/odd.ts': stage('odd', {outputs: `{o: {kind: 'file', name: '${name}', show: '${show}', about: 'o'}}`}),
      'pipeline.yaml': 'version: 1\nnodes: {a: {stage: odd}}\n',
    }).mistakes();
  expect(await declared('curve', 'o.txt')).toContain('`outputs.o.show`: only a .csv file is shown so');
  expect(await declared('pie')).toContain('`curve`, `confusion`, `bars` or `bars:COLUMN`');
});
