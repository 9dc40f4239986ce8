import {expect, test} from 'vitest';
import {pipelineOf, project} from './support.ts';

const mistakes = (yaml: string) => pipelineOf(yaml).mistakes();

test('reports every syntax error of a file', async () => {
  expect(await mistakes('version: 1\nnodes:\n\ta: {stage: make}\n  b: "\\q"\n  c: [1,\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:1: a tab cannot indent YAML [yaml-syntax]
      1 | version: 1
      2 | nodes:
    > 3 |  a: {stage: make}
        | ~
      4 |   b: "\\q"
      5 |   c: [1,
      hint: indent with spaces

    pipeline.yaml:4:1: all mapping items must start at the same column [yaml-syntax]
      2 | nodes:
      3 |  a: {stage: make}
    > 4 |   b: "\\q"
        | ~
      5 |   c: [1,

    pipeline.yaml:4:7: invalid escape sequence \\q [yaml-syntax]
      2 | nodes:
      3 |  a: {stage: make}
    > 4 |   b: "\\q"
        |       ~
      5 |   c: [1,

    pipeline.yaml:5:1: all mapping items must start at the same column [yaml-syntax]
      3 |  a: {stage: make}
      4 |   b: "\\q"
    > 5 |   c: [1,
        | ~

    pipeline.yaml:6:1: flow sequence in block collection must be sufficiently indented and end with a ] [yaml-syntax]
      4 |   b: "\\q"
      5 |   c: [1,
    > 6 |
        | ~

    5 problems
    "
  `);
});

test('asks for quotes where a reserved character starts a value', async () => {
  expect(await mistakes('version: 1\nnodes:\n  a: {stage: @make}\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:14: plain value cannot start with reserved character @ [yaml-syntax]
      1 | version: 1
      2 | nodes:
    > 3 |   a: {stage: @make}
        |              ~
      hint: put the text in quotes
    "
  `);
});

test('reports duplicate keys with both places', async () => {
  const yaml = `version: 1
nodes:
  a: {stage: make}
  b:
    stage: make
    params: {count: 1, label: x, count: 2}
  a: {stage: make}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:6:34: the key \`count\` is written twice in one mapping [yaml-duplicate-key]
      4 |   b:
      5 |     stage: make
    > 6 |     params: {count: 1, label: x, count: 2}
        |                                  ~~~~~
      7 |   a: {stage: make}
    pipeline.yaml:6:14: \`count\` is first written here
      4 |   b:
      5 |     stage: make
    > 6 |     params: {count: 1, label: x, count: 2}
        |              ~~~~~
      7 |   a: {stage: make}

    pipeline.yaml:7:3: the key \`a\` is written twice in one mapping [yaml-duplicate-key]
      5 |     stage: make
      6 |     params: {count: 1, label: x, count: 2}
    > 7 |   a: {stage: make}
        |   ~
    pipeline.yaml:3:3: \`a\` is first written here
      1 | version: 1
      2 | nodes:
    > 3 |   a: {stage: make}
        |   ~
      4 |   b:
      5 |     stage: make

    2 problems
    "
  `);
});

test('stops an alias bomb', async () => {
  const levels = Array.from({length: 9}, (_, level) => {
    const item = level === 0 ? 'lol' : `*a${level - 1}`;
    return `  a${level}: &a${level} [${Array.from({length: 10}, () => item).join(', ')}]`;
  });
  const yaml = `version: 1\nvars:\n${levels.join('\n')}\nnodes: {a: {stage: make}}\n`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:8:47: aliases may add 1000000 values to a document; these add more [yaml-alias-limit]
       6 |   a3: &a3 [*a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2]
       7 |   a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
    >  8 |   a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
         |                                               ~~~
       9 |   a6: &a6 [*a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5]
      10 |   a7: &a7 [*a6, *a6, *a6, *a6, *a6, *a6, *a6, *a6, *a6, *a6]
      hint: name common values in \`vars\` and refer to them
    "
  `);
});

test('takes many uses of one anchor', async () => {
  const uses = Array.from({length: 2000}, (_, index) => `  n${index}: *node`).join('\n');
  const {nodes} = await pipelineOf(
    `version: 1\nnodes:\n  first: &node {stage: make, params: {count: 2}}\n${uses}\n`,
  ).pipeline();
  expect(nodes).toHaveLength(2001);
  expect(nodes.at(-1)).toMatchObject({id: 'n1999', params: {count: 2, label: 'x'}});
});

test('reports an alias inside its own anchor and one without an anchor', async () => {
  expect(await mistakes('version: 1\nvars: {a: &a [*a], b: *c}\nnodes: {a: {stage: make}}\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:15: \`*a\` stands inside its own anchor [yaml-syntax]
      1 | version: 1
    > 2 | vars: {a: &a [*a], b: *c}
        |               ~~
      3 | nodes: {a: {stage: make}}
      hint: put the text in quotes if it is not meant as an alias

    pipeline.yaml:2:23: there is no anchor \`&c\` above [yaml-syntax]
      1 | version: 1
    > 2 | vars: {a: &a [*a], b: *c}
        |                       ~~
      3 | nodes: {a: {stage: make}}
      hint: put the text in quotes if it is not meant as an alias

    2 problems
    "
  `);
});

test('refuses __proto__ anywhere, and merge keys', async () => {
  const yaml = `version: 1
__proto__: {polluted: true}
vars:
  a: {__proto__: {polluted: true}}
nodes:
  b:
    <<: {stage: make}
    stage: make
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:1: \`__proto__\` cannot be a key: it would change every object [unknown-key]
      1 | version: 1
    > 2 | __proto__: {polluted: true}
        | ~~~~~~~~~
      3 | vars:
      4 |   a: {__proto__: {polluted: true}}

    pipeline.yaml:4:7: \`__proto__\` cannot be a key: it would change every object [unknown-key]
      2 | __proto__: {polluted: true}
      3 | vars:
    > 4 |   a: {__proto__: {polluted: true}}
        |       ~~~~~~~~~
      5 | nodes:
      6 |   b:

    pipeline.yaml:7:5: YAML 1.2 has no merge key \`<<\` [unknown-key]
      5 | nodes:
      6 |   b:
    > 7 |     <<: {stage: make}
        |     ~~
      8 |     stage: make
      hint: write the members out, or use \`\${vars.name}\`

    3 problems
    "
  `);
  expect(({} as {polluted?: boolean}).polluted).toBeUndefined();
});

test('treats constructor and toString as ordinary names that do not exist', async () => {
  const yaml = `version: 1
vars: {a: '\${vars.constructor}'}
nodes:
  b: {stage: constructor}
  c: {stage: refine, each: constructor}
  d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
  e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
targets: {default: [toString]}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:12: unknown variable \`constructor\` [unknown-variable]
      1 | version: 1
    > 2 | vars: {a: '\${vars.constructor}'}
        |            ~~~~~~~~~~~~~~~~~~~
      3 | nodes:
      4 |   b: {stage: constructor}
      hint: known: \`a\`

    pipeline.yaml:4:14: unknown stage \`constructor\` [unknown-stage]
      2 | vars: {a: '\${vars.constructor}'}
      3 | nodes:
    > 4 |   b: {stage: constructor}
        |              ~~~~~~~~~~~
      5 |   c: {stage: refine, each: constructor}
      6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
      hint: known: \`make\`, \`merge\`, \`pair\`, \`refine\`, \`train\`

    pipeline.yaml:5:28: there is no node or source \`constructor\` [unknown-node]
      3 | nodes:
      4 |   b: {stage: constructor}
    > 5 |   c: {stage: refine, each: constructor}
        |                            ~~~~~~~~~~~
      6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
      7 |   e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
      hint: known: \`b\`, \`c\`, \`d\`, \`e\`

    pipeline.yaml:6:29: stage \`make\` has no param \`toString\` [unknown-param]
      4 |   b: {stage: constructor}
      5 |   c: {stage: refine, each: constructor}
    > 6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
        |                             ~~~~~~~~
      7 |   e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
      8 | targets: {default: [toString]}
      hint: known: \`count\`, \`label\`

    pipeline.yaml:6:52: stage \`make\` has no input \`valueOf\` [unknown-input]
      4 |   b: {stage: constructor}
      5 |   c: {stage: refine, each: constructor}
    > 6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
        |                                                    ~~~~~~~
      7 |   e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
      8 | targets: {default: [toString]}

    pipeline.yaml:7:40: \`d\` has no output \`hasOwnProperty\` [unknown-output]
      5 |   c: {stage: refine, each: constructor}
      6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
    > 7 |   e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
        |                                        ~~~~~~~~~~~~~~
      8 | targets: {default: [toString]}
      hint: known: \`out\`

    pipeline.yaml:8:21: there is no node \`toString\` [unknown-target]
      6 |   d: {stage: make, params: {toString: 1}, inputs: {valueOf: b}}
      7 |   e: {stage: merge, inputs: {parts: 'd.hasOwnProperty'}}
    > 8 | targets: {default: [toString]}
        |                     ~~~~~~~~
      hint: known: \`b\`, \`c\`, \`d\`, \`e\`

    7 problems
    "
  `);
});

test('takes constructor as the name of what exists', async () => {
  const {nodes, targets} = await pipelineOf(`version: 1
vars: {constructor: 7}
nodes: {constructor: {stage: make, params: {count: '\${vars.constructor}'}}}
targets: {constructor: [constructor]}
`).pipeline();
  expect(nodes[0]).toMatchObject({id: 'constructor', params: {count: 7}});
  expect(targets).toEqual({default: ['constructor'], constructor: ['constructor']});
});

test('reports values that JSON cannot hold', async () => {
  const yaml = `version: 1
vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
nodes: {a: {stage: make}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:11: \`.nan\` is not a number that JSON can hold [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
        |           ~~~~
      3 | nodes: {a: {stage: make}}

    pipeline.yaml:2:20: \`-.inf\` is not a number that JSON can hold [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
        |                    ~~~~~
      3 | nodes: {a: {stage: make}}

    pipeline.yaml:2:30: \`123456789012345678901\` cannot be kept exactly: integers end at 2^53 [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
        |                              ~~~~~~~~~~~~~~~~~~~~~
      3 | nodes: {a: {stage: make}}
      hint: put it in quotes to keep it as text

    pipeline.yaml:2:65: the tag \`tag:yaml.org,2002:binary\` gives a value that JSON cannot hold [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
        |                                                                 ~~~~
      3 | nodes: {a: {stage: make}}
      hint: remove the tag

    pipeline.yaml:2:71: a key is text [yaml-syntax]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, d: !!binary aGk=, 1: x}
        |                                                                       ~
      3 | nodes: {a: {stage: make}}
      hint: put it in quotes: '1'

    5 problems
    "
  `);
  expect(await mistakes(yaml.replace(', d: !!binary aGk=', ''))).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:11: \`.nan\` is not a number that JSON can hold [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, 1: x}
        |           ~~~~
      3 | nodes: {a: {stage: make}}

    pipeline.yaml:2:20: \`-.inf\` is not a number that JSON can hold [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, 1: x}
        |                    ~~~~~
      3 | nodes: {a: {stage: make}}

    pipeline.yaml:2:30: \`123456789012345678901\` cannot be kept exactly: integers end at 2^53 [bad-value]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, 1: x}
        |                              ~~~~~~~~~~~~~~~~~~~~~
      3 | nodes: {a: {stage: make}}
      hint: put it in quotes to keep it as text

    pipeline.yaml:2:53: a key is text [yaml-syntax]
      1 | version: 1
    > 2 | vars: {a: .nan, b: -.inf, c: 123456789012345678901, 1: x}
        |                                                     ~
      3 | nodes: {a: {stage: make}}
      hint: put it in quotes: '1'

    4 problems
    "
  `);
});

test('reports an empty file, a list, a bare text and several documents', async () => {
  expect(await mistakes('')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:1: the pipeline is empty [schema-violation]
    > 1 |
        | ~
      hint: \`mixdown init\` writes a first pipeline.yaml
    "
  `);
  expect(await mistakes('# nothing yet\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:1: the pipeline is empty [schema-violation]
    > 1 | # nothing yet
        | ~
      hint: \`mixdown init\` writes a first pipeline.yaml
    "
  `);
  expect(await mistakes('- a\n- b\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:1: a pipeline is a mapping with \`version\` and \`nodes\` [schema-violation]
    > 1 | - a
        | ~~~
      2 | - b
      hint: \`mixdown init\` writes a first pipeline.yaml
    "
  `);
  expect(await mistakes('hello')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:1: a pipeline is a mapping with \`version\` and \`nodes\` [schema-violation]
    > 1 | hello
        | ~~~~~
      hint: \`mixdown init\` writes a first pipeline.yaml
    "
  `);
  expect(await mistakes('version: 1\n---\nversion: 1\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:1: the file holds more than one YAML document [yaml-syntax]
      1 | version: 1
    > 2 | ---
        | ~~~
      3 | version: 1
      hint: remove the \`---\` line
    "
  `);
});

test('says which version it reads before anything else', async () => {
  expect(await mistakes('version: 2\nwhatever: 1\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:10: this mixdown reads version 1 of the pipeline format, not version 2 [schema-violation]
    > 1 | version: 2
        |          ~
      2 | whatever: 1
      hint: install a newer mixdown
    "
  `);
  expect(await mistakes('nodes: {a: {stage: make}}\n')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:1: the pipeline needs \`version\` [schema-violation]
    > 1 | nodes: {a: {stage: make}}
        | ~~~~~~~~~~~~~~~~~~~~~~~~~
      hint: begin with \`version: 1\`
    "
  `);
});

test('reports a file that is missing, not UTF-8 or too deep', async () => {
  expect(await project({}).mistakes()).toMatchInlineSnapshot(`
    "
    there is no pipeline.yaml in this folder [pipeline-missing]
      hint: run in a folder with a pipeline.yaml, name one with --file, or write a first one with \`mixdown init\`
    "
  `);
  expect(await mistakes(`version: 1\nvars: {a: ${'['.repeat(200)}${']'.repeat(200)}}\nnodes: {a: {stage: make}}\n`))
    .toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:110: YAML may be nested 100 levels deep; this is deeper [too-large]
      1 |
    > 2 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
        |                                                       ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      3 |
    "
  `);
  // Where the parser gives up is a matter of its stack.
  const deepest = await mistakes(`a: ${'['.repeat(100_000)}`);
  expect(deepest.replace(/:1:\d+:/, ':1:COLUMN:')).toMatchInlineSnapshot(`
    "
    pipeline.yaml:1:COLUMN: the YAML is nested too deeply [yaml-syntax]
    > 1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
        |                                                       ~
    "
  `);
});

test('reads a byte order mark and Windows line ends', async () => {
  const text = '\uFEFFversion: 1\r\nnodes:\r\n  a:\r\n    stage: mak\r\n';
  expect(await mistakes(text)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:12: unknown stage \`mak\` [unknown-stage]
      2 | nodes:
      3 |   a:
    > 4 |     stage: mak
        |            ~~~
      hint: did you mean \`make\`?
    "
  `);
});

test('reports mistakes of shape, each with its place', async () => {
  const yaml = `version: 1
seed: -1
vars: {a: 1}
nodse: {}
sources:
  clips: {path: data, includ: '*.wav'}
  Labels: labels.csv
  none: {}
nodes:
  a: {stage: make, parms: {count: 1}}
  b: {}
  c: {stage: 3}
  d: {stage: make, command: [ls], outputs: {x: x}}
  e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}
  f: {script: echo, outputs: {out: out}}
  g: {shell: bash, outputs: {out: out}}
  h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
  i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
  j: {command: [ls]}
  k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
  l: [make]
targets: {default: a}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:7: \`seed\` must be a whole number, 0 ... 2^31-1, not \`-1\` [schema-violation]
      1 | version: 1
    > 2 | seed: -1
        |       ~~
      3 | vars: {a: 1}
      4 | nodse: {}

    pipeline.yaml:4:1: unknown key \`nodse\` in the pipeline [unknown-key]
      2 | seed: -1
      3 | vars: {a: 1}
    > 4 | nodse: {}
        | ~~~~~
      5 | sources:
      6 |   clips: {path: data, includ: '*.wav'}
      hint: did you mean \`nodes\`?

    pipeline.yaml:6:23: unknown key \`includ\` in source \`clips\` [unknown-key]
      4 | nodse: {}
      5 | sources:
    > 6 |   clips: {path: data, includ: '*.wav'}
        |                       ~~~~~~
      7 |   Labels: labels.csv
      8 |   none: {}
      hint: did you mean \`include\`?

    pipeline.yaml:7:3: \`Labels\` cannot be a name here: it must be a name of lower-case letters, digits, \`-\` and \`_\` that starts with a letter [bad-value]
      5 | sources:
      6 |   clips: {path: data, includ: '*.wav'}
    > 7 |   Labels: labels.csv
        |   ~~~~~~
      8 |   none: {}
      9 | nodes:

    pipeline.yaml:8:3: source \`none\` needs \`path\` [schema-violation]
       6 |   clips: {path: data, includ: '*.wav'}
       7 |   Labels: labels.csv
    >  8 |   none: {}
         |   ~~~~
       9 | nodes:
      10 |   a: {stage: make, parms: {count: 1}}

    pipeline.yaml:10:20: unknown key \`parms\` in node \`a\` [unknown-key]
       8 |   none: {}
       9 | nodes:
    > 10 |   a: {stage: make, parms: {count: 1}}
         |                    ~~~~~
      11 |   b: {}
      12 |   c: {stage: 3}
      hint: did you mean \`params\`?

    pipeline.yaml:11:3: node \`b\` needs \`stage\` or \`command\` [schema-violation]
       9 | nodes:
      10 |   a: {stage: make, parms: {count: 1}}
    > 11 |   b: {}
         |   ~
      12 |   c: {stage: 3}
      13 |   d: {stage: make, command: [ls], outputs: {x: x}}
      hint: write \`stage: NAME\`, or \`command: [program, argument]\`

    pipeline.yaml:12:14: \`stage\` must be a text, not \`3\` [schema-violation]
      10 |   a: {stage: make, parms: {count: 1}}
      11 |   b: {}
    > 12 |   c: {stage: 3}
         |              ~
      13 |   d: {stage: make, command: [ls], outputs: {x: x}}
      14 |   e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}

    pipeline.yaml:13:7: a node has either \`stage\` or \`command\`, not both [schema-violation]
      11 |   b: {}
      12 |   c: {stage: 3}
    > 13 |   d: {stage: make, command: [ls], outputs: {x: x}}
         |       ~~~~~
      14 |   e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}
      15 |   f: {script: echo, outputs: {out: out}}

    pipeline.yaml:14:16: \`command\` must be a list: the program and its arguments [schema-violation]
      12 |   c: {stage: 3}
      13 |   d: {stage: make, command: [ls], outputs: {x: x}}
    > 14 |   e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}
         |                ~~~~~~~~~~~~~~~~
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
      hint: no shell: \`command: [gnuplot, -p, 'a b']\`
            with a shell: \`shell: bash -euo pipefail\` and \`script: gnuplot -p 'a b'\`

    pipeline.yaml:15:3: node \`f\` needs \`shell\` [schema-violation]
      13 |   d: {stage: make, command: [ls], outputs: {x: x}}
      14 |   e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}
    > 15 |   f: {script: echo, outputs: {out: out}}
         |   ~
      16 |   g: {shell: bash, outputs: {out: out}}
      17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
      hint: write \`shell: bash -euo pipefail\` beside \`script\`

    pipeline.yaml:16:3: node \`g\` needs \`script\` [schema-violation]
      14 |   e: {command: gnuplot -p 'a b', outputs: {plot: plot.svg}}
      15 |   f: {script: echo, outputs: {out: out}}
    > 16 |   g: {shell: bash, outputs: {out: out}}
         |   ~
      17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      hint: \`shell\` is the program that runs \`script\`

    pipeline.yaml:17:29: \`timeout\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`3 hours\` [schema-violation]
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
    > 17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
         |                             ~~~~~~~
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}

    pipeline.yaml:17:47: \`retries\` must be a whole number, 0 ... 100, not \`1.5\` [schema-violation]
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
    > 17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
         |                                               ~~~
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}

    pipeline.yaml:17:69: \`gpu\` must be a whole number of devices, or a fraction below 1, not \`1.5\` [schema-violation]
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
    > 17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
         |                                                                     ~~~
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}

    pipeline.yaml:17:74: unknown key \`cpus\` in \`resources\` [unknown-key]
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
    > 17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
         |                                                                          ~~~~
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}
      hint: did you mean \`cpu\`?

    pipeline.yaml:17:94: \`whenNoGpu\` must be \`cpu\` or \`fail\`, not the text \`maybe\` [schema-violation]
      15 |   f: {script: echo, outputs: {out: out}}
      16 |   g: {shell: bash, outputs: {out: out}}
    > 17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
         |                                                                                              ~~~~~
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}

    pipeline.yaml:18:39: item 2 of \`fold\` must be a text, a number or true/false, not a list [schema-violation]
      16 |   g: {shell: bash, outputs: {out: out}}
      17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
    > 18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
         |                                       ~~~
      19 |   j: {command: [ls]}
      20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}

    pipeline.yaml:18:53: \`levels\` must be a list of values, one value, or a reference to a list, not nothing [schema-violation]
      16 |   g: {shell: bash, outputs: {out: out}}
      17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
    > 18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
         |                                                     ~~~~
      19 |   j: {command: [ls]}
      20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}

    pipeline.yaml:19:3: node \`j\` needs \`outputs\` [schema-violation]
      17 |   h: {stage: make, timeout: 3 hours, retries: 1.5, resources: {gpu: 1.5, cpus: 1, whenNoGpu: maybe}}
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
    > 19 |   j: {command: [ls]}
         |   ~
      20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
      21 |   l: [make]
      hint: write \`outputs: {name: path}\` for what the command leaves behind

    pipeline.yaml:20:49: \`include\` must be a list of mappings from axis to value, or a reference to one, not \`3\` [schema-violation]
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}
    > 20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
         |                                                 ~
      21 |   l: [make]
      22 | targets: {default: a}

    pipeline.yaml:20:53: \`each\` must be a collection, or a mapping of ports to collections, not a list [schema-violation]
      18 |   i: {stage: make, matrix: {fold: [1, [2]], levels: null}}
      19 |   j: {command: [ls]}
    > 20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
         |                                                     ~~~~
      21 |   l: [make]
      22 | targets: {default: a}

    pipeline.yaml:21:3: node \`l\` must be a mapping, not a list [schema-violation]
      19 |   j: {command: [ls]}
      20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
    > 21 |   l: [make]
         |   ~
      22 | targets: {default: a}

    pipeline.yaml:22:20: \`default\` must be a list of nodes, artifacts or selectors, not the text \`a\` [schema-violation]
      20 |   k: {stage: make, matrix: {fold: [1], include: 3}, each: [a, b]}
      21 |   l: [make]
    > 22 | targets: {default: a}
         |                    ~

    24 problems
    "
  `);
});

test('shows a window of a very long line', async () => {
  const nodes = Array.from({length: 50}, (_, index) => `n${index}: {stage: make}`).join(', ');
  expect(await mistakes(`version: 1\nnodes: {${nodes}, last: {stage: mak}, ${nodes.replaceAll('n', 'm')}}\n`))
    .toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:1013: unknown stage \`mak\` [unknown-stage]
      1 |
    > 2 | …48: {stage: make}, n49: {stage: make}, last: {stage: mak}, m0: {stage: make}, m1: {stage: make}, m2: {stage:…
        |                                                       ~~~
      hint: did you mean \`make\`?
    "
  `);
});
