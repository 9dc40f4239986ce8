import {expect, test} from 'vitest';
import {pipelineOf} from './support.ts';

const mistakes = (yaml: string, overrides: readonly string[] = [], profiles: readonly string[] = []) =>
  pipelineOf(yaml).mistakes({overrides, profiles});

test('reports brackets that are none', async () => {
  const yaml = `version: 1
vars: {a: {x: {b: 1}}, n: 1}
nodes:
  a: {stage: make, matrix: {k: [x]}, params: {label: 'v\${vars.a[matrix.k.b}'}}
  b: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[vars.n].b}'}}
  c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
  d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
  e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
  f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
  g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
  h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
  i: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[\${matrix.k}].b}'}}
  j: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:64: the bracket is not closed by \`]\` [bad-reference]
      2 | vars: {a: {x: {b: 1}}, n: 1}
      3 | nodes:
    > 4 |   a: {stage: make, matrix: {k: [x]}, params: {label: 'v\${vars.a[matrix.k.b}'}}
        |                                                                ~~~~~~~~~~~
      5 |   b: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[vars.n].b}'}}
      6 |   c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
      hint: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\`

    pipeline.yaml:5:63: \`[vars.n]\` chooses no member: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\` [bad-reference]
      3 | nodes:
      4 |   a: {stage: make, matrix: {k: [x]}, params: {label: 'v\${vars.a[matrix.k.b}'}}
    > 5 |   b: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[vars.n].b}'}}
        |                                                               ~~~~~~~~
      6 |   c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
      7 |   d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
      hint: a member that is the same for all variants follows a dot: \`.NAME\`

    pipeline.yaml:6:63: \`["x"]\` chooses no member: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\` [bad-reference]
      4 |   a: {stage: make, matrix: {k: [x]}, params: {label: 'v\${vars.a[matrix.k.b}'}}
      5 |   b: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[vars.n].b}'}}
    > 6 |   c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
        |                                                               ~~~~~
      7 |   d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
      8 |   e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
      hint: a member that is the same for all variants follows a dot: \`.x\`

    pipeline.yaml:7:63: \`[]\` chooses no member: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\` [bad-reference]
      5 |   b: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[vars.n].b}'}}
      6 |   c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
    > 7 |   d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
        |                                                               ~~
      8 |   e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
      9 |   f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
      hint: a member that is the same for all variants follows a dot: \`.NAME\`

    pipeline.yaml:8:57: \`matrix.k\` has no members in brackets [bad-reference]
       6 |   c: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a["x"].b}'}}
       7 |   d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
    >  8 |   e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
         |                                                         ~~~~~~~~~~~
       9 |   f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
      10 |   g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
      hint: a member in brackets is one of a variable: \`\${vars.name[matrix.axis]}\`

    pipeline.yaml:9:57: \`vars\` has no members in brackets [bad-reference]
       7 |   d: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[].b}'}}
       8 |   e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
    >  9 |   f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
         |                                                         ~~~~~~~~~~~~~~
      10 |   g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
      11 |   h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
      hint: a member in brackets is one of a variable: \`\${vars.name[matrix.axis]}\`

    pipeline.yaml:10:55: \`\${vars.a[matrix.k]b}\` is not a reference; expressions are references, never code [bad-reference]
       8 |   e: {stage: make, matrix: {k: [x]}, params: {label: '\${matrix.k[*]}'}}
       9 |   f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
    > 10 |   g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
         |                                                       ~~~~~~~~~~~~~~~~~~~~
      11 |   h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
      12 |   i: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[\${matrix.k}].b}'}}
      hint: a reference is \`\${vars.name}\` or \`\${matrix.axis}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:11:55: \`\${vars.a[matrix.k].b + 1}\` is not a reference; expressions are references, never code [bad-reference]
       9 |   f: {stage: make, matrix: {k: [x]}, params: {label: '\${vars[matrix.k]}'}}
      10 |   g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
    > 11 |   h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
         |                                                       ~~~~~~~~~~~~~~~~~~~~~~~~~
      12 |   i: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[\${matrix.k}].b}'}}
      13 |   j: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b'}}
      hint: a reference is \`\${vars.name}\` or \`\${matrix.axis}\`; write \`$\${\` for a literal \`\${\`

    pipeline.yaml:12:63: the bracket is not closed by \`]\` [bad-reference]
      10 |   g: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k]b}'}}
      11 |   h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
    > 12 |   i: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[\${matrix.k}].b}'}}
         |                                                               ~~~~~~~~~~~
      13 |   j: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b'}}
      hint: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\`

    pipeline.yaml:13:55: \`\${\` is not closed by \`}\` [bad-reference]
      11 |   h: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b + 1}'}}
      12 |   i: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[\${matrix.k}].b}'}}
    > 13 |   j: {stage: make, matrix: {k: [x]}, params: {label: '\${vars.a[matrix.k].b'}}
         |                                                       ~~~~~~~~~~~~~~~~~~~~
      hint: a reference is \`\${vars.name}\` or \`\${matrix.axis}\`; write \`$\${\` for a literal \`\${\`

    10 problems
    "
  `);
});

test('reports axes where none has a value', async () => {
  const yaml = `version: 1
vars: {a: {x: {b: 1}}, c: '\${vars.a[matrix.k].b}'}
sources: {s: '\${vars.a[matrix.k].b}'}
nodes:
  a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
  b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
  c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
  d: {stage: make, matrix: {k: [x], kind: [y]}, params: {count: '\${vars.a[matrix.kin].b}'}}
targets: {default: ['a[k=\${vars.a[matrix.k].b}]']}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:36: \`[matrix.k]\` cannot stand in a variable, where no axis has a value [bad-reference]
      1 | version: 1
    > 2 | vars: {a: {x: {b: 1}}, c: '\${vars.a[matrix.k].b}'}
        |                                    ~~~~~~~~~~
      3 | sources: {s: '\${vars.a[matrix.k].b}'}
      4 | nodes:
      hint: look it up in the node that uses it

    pipeline.yaml:3:23: \`[matrix.k]\` cannot stand in a source, where no axis has a value [bad-reference]
      1 | version: 1
      2 | vars: {a: {x: {b: 1}}, c: '\${vars.a[matrix.k].b}'}
    > 3 | sources: {s: '\${vars.a[matrix.k].b}'}
        |                       ~~~~~~~~~~
      4 | nodes:
      5 |   a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
      hint: look it up in the node that uses it

    pipeline.yaml:5:49: \`[matrix.k]\` cannot stand in a matrix, where no axis has a value [bad-reference]
      3 | sources: {s: '\${vars.a[matrix.k].b}'}
      4 | nodes:
    > 5 |   a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
        |                                                 ~~~~~~~~~~
      6 |   b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
      7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
      hint: \`\${vars.a[*].b}\` lists the values of all members

    pipeline.yaml:5:91: node \`a\` has no axis \`kk\` [unknown-axis]
      3 | sources: {s: '\${vars.a[matrix.k].b}'}
      4 | nodes:
    > 5 |   a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
        |                                                                                           ~~~~~~~~~~~
      6 |   b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
      7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
      hint: did you mean \`k\`?

    pipeline.yaml:6:45: node \`b\` has no axis \`k\` [unknown-axis]
      4 | nodes:
      5 |   a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
    > 6 |   b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
        |                                             ~~~~~~~~~~
      7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
      8 |   d: {stage: make, matrix: {k: [x], kind: [y]}, params: {count: '\${vars.a[matrix.kin].b}'}}
      hint: the node has no matrix

    pipeline.yaml:7:24: \`[matrix.k]\` cannot stand in the name of a stage, where no axis has a value [bad-reference]
      5 |   a: {stage: make, matrix: {k: [x], n: '\${vars.a[matrix.k].b}'}, params: {count: '\${vars.a[matrix.kk].b}'}}
      6 |   b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
    > 7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
        |                        ~~~~~~~~~~
      8 |   d: {stage: make, matrix: {k: [x], kind: [y]}, params: {count: '\${vars.a[matrix.kin].b}'}}
      9 | targets: {default: ['a[k=\${vars.a[matrix.k].b}]']}
      hint: look it up in the node that uses it

    pipeline.yaml:8:74: node \`d\` has no axis \`kin\` [unknown-axis]
       6 |   b: {stage: make, params: {count: '\${vars.a[matrix.k].b}'}}
       7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
    >  8 |   d: {stage: make, matrix: {k: [x], kind: [y]}, params: {count: '\${vars.a[matrix.kin].b}'}}
         |                                                                          ~~~~~~~~~~~~
       9 | targets: {default: ['a[k=\${vars.a[matrix.k].b}]']}
      hint: did you mean \`kind\`?

    pipeline.yaml:9:34: \`[matrix.k]\` cannot stand in a target, where no axis has a value [bad-reference]
       7 |   c: {stage: 'm\${vars.a[matrix.k].b}', matrix: {k: [x]}}
       8 |   d: {stage: make, matrix: {k: [x], kind: [y]}, params: {count: '\${vars.a[matrix.kin].b}'}}
    >  9 | targets: {default: ['a[k=\${vars.a[matrix.k].b}]']}
         |                                  ~~~~~~~~~~
      hint: look it up in the node that uses it

    8 problems
    "
  `);
});

test('reports once what members lack, with the values that ask for it', async () => {
  const yaml = `version: 1
vars:
  variants: [a, b, c, d, z, y]
  table:
    a: {rate: 1, size: {w: 1}}
    b: {rat: 2, size: {w: 1}}
    c: {size: {w: 1}, list: [1]}
    d: 5
nodes:
  made: {stage: make}
  model:
    stage: train
    matrix: {repeat: [1, 2, 3], v: '\${vars.variants}'}
    inputs: {features: made}
    params:
      fold: '\${vars.table[matrix.v].rate}'
      levels: 'l\${vars.table[matrix.v].size.w}'
      sizes: ['\${vars.table[matrix.v].rate}']
  typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
  inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
  near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
  deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.w]}'}}
  position: {stage: make, matrix: {v: [2]}, params: {count: '\${vars.variants[matrix.v]}', label: '\${vars.table.c.list[matrix.v]}'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:20: \`count\` must be a whole number, not the text \`c\` (through \${vars.variants[matrix.v]} in node \`position\`) [bad-value]
      1 | version: 1
      2 | vars:
    > 3 |   variants: [a, b, c, d, z, y]
        |                    ~
      4 |   table:
      5 |     a: {rate: 1, size: {w: 1}}

    pipeline.yaml:16:26: \`table\` has no members \`z\`, \`y\`, asked for by the axis \`v\` [unknown-variable]
      14 |     inputs: {features: made}
      15 |     params:
    > 16 |       fold: '\${vars.table[matrix.v].rate}'
         |                          ~~~~~~~~~~
      17 |       levels: 'l\${vars.table[matrix.v].size.w}'
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
      hint: add \`z: …\` to \`table\`; known: \`a\`, \`b\`, \`c\`, \`d\`
    pipeline.yaml:3:26: \`z\` stands here
      1 | version: 1
      2 | vars:
    > 3 |   variants: [a, b, c, d, z, y]
        |                          ~
      4 |   table:
      5 |     a: {rate: 1, size: {w: 1}}

    pipeline.yaml:16:37: \`table.b\`, \`table.c\`, \`table.d\` have no member \`rate\` [unknown-variable]
      14 |     inputs: {features: made}
      15 |     params:
    > 16 |       fold: '\${vars.table[matrix.v].rate}'
         |                                     ~~~~
      17 |       levels: 'l\${vars.table[matrix.v].size.w}'
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
      hint: \`table.b\` has \`rat\`: is it meant as \`rate\`?
    pipeline.yaml:6:5: \`table.b\` stands here
      4 |   table:
      5 |     a: {rate: 1, size: {w: 1}}
    > 6 |     b: {rat: 2, size: {w: 1}}
        |     ~
      7 |     c: {size: {w: 1}, list: [1]}
      8 |     d: 5

    pipeline.yaml:17:40: \`table.d\` has no member \`size\` [unknown-variable]
      15 |     params:
      16 |       fold: '\${vars.table[matrix.v].rate}'
    > 17 |       levels: 'l\${vars.table[matrix.v].size.w}'
         |                                        ~~~~
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
      19 |   typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
      hint: \`table.d\` is \`5\`
    pipeline.yaml:8:5: \`table.d\` stands here
       6 |     b: {rat: 2, size: {w: 1}}
       7 |     c: {size: {w: 1}, list: [1]}
    >  8 |     d: 5
         |     ~
       9 | nodes:
      10 |   made: {stage: make}

    pipeline.yaml:19:84: \`table.a\`, \`table.b\` have no member \`sise\` [unknown-variable]
      17 |       levels: 'l\${vars.table[matrix.v].size.w}'
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
    > 19 |   typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
         |                                                                                    ~~~~
      20 |   inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
      21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
      hint: did you mean \`size\`?

    pipeline.yaml:20:82: \`table\` has no member \`toString\`, asked for by the axis \`v\` [unknown-variable]
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
      19 |   typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
    > 20 |   inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
         |                                                                                  ~~~~~~~~~~
      21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
      22 |   deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.…
      hint: add \`toString: …\` to \`table\`; known: \`a\`, \`b\`, \`c\`, \`d\`
    pipeline.yaml:20:41: \`toString\` stands here
      18 |       sizes: ['\${vars.table[matrix.v].rate}']
      19 |   typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
    > 20 |   inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
         |                                         ~~~~~~~~
      21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
      22 |   deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.…

    pipeline.yaml:21:76: unknown variable \`tabel\` [unknown-variable]
      19 |   typo: {stage: make, matrix: {v: [a, b]}, params: {count: '\${vars.table[matrix.v].sise}'}}
      20 |   inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
    > 21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
         |                                                                            ~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      22 |   deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.…
      23 |   position: {stage: make, matrix: {v: [2]}, params: {count: '\${vars.variants[matrix.v]}', label: '\${vars.tabl…
      hint: did you mean \`table\`?

    pipeline.yaml:22:102: there is no \`table.a.size.q\`, \`table.a.size.r\`, \`table.b.size.q\`, \`table.b.size.r\`, asked for by the axis \`w\` [unknown-variable]
      20 | …]}, params: {label: '\${vars.table[matrix.v].length}'}}
      21 | …s-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
    > 22 | … q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.w]}'}}
         |                                                       ~~~~~~~~~~
      23 | …ms: {count: '\${vars.variants[matrix.v]}', label: '\${vars.table.c.list[matrix.v]}'}}
      hint: add \`q: …\` to \`table.a.size\`; known: \`w\`
    pipeline.yaml:22:50: \`q\` stands here
      20 |   inherited: {stage: make, matrix: {v: [toString]}, params: {label: '\${vars.table[matrix.v].length}'}}
      21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
    > 22 |   deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.…
         |                                                  ~
      23 |   position: {stage: make, matrix: {v: [2]}, params: {count: '\${vars.variants[matrix.v]}', label: '\${vars.tabl…

    pipeline.yaml:23:118: \`table.c.list\` has no member \`2\`, asked for by the axis \`v\` [unknown-variable]
      21 | …: {count: '\${vars.tabel[matrix.v].rate}'}}
      22 | … {count: '\${vars.table[matrix.v].size[matrix.w]}'}}
    > 23 | …ars.variants[matrix.v]}', label: '\${vars.table.c.list[matrix.v]}'}}
         |                                                       ~~~~~~~~~~
      hint: \`table.c.list\` is a list of 1; its positions count from 0
    pipeline.yaml:23:40: \`2\` stands here
      21 |   near: {stage: make, matrix: {v: [a, b, variants-of-b]}, params: {count: '\${vars.tabel[matrix.v].rate}'}}
      22 |   deep: {stage: make, matrix: {v: [a, b], w: [w, q, r]}, params: {count: '\${vars.table[matrix.v].size[matrix.…
    > 23 |   position: {stage: make, matrix: {v: [2]}, params: {count: '\${vars.variants[matrix.v]}', label: '\${vars.tabl…
         |                                        ~

    9 problems
    "
  `);
});

test('reports members that a list of all values lacks', async () => {
  const yaml = `version: 1
vars:
  table:
    a: {rate: 1}
    b: {rates: 2}
    c: {rate: 2, x: 1}
    d: {x: 1}
    e: {x: [1]}
  number: 3
  rows: [{rate: 1}]
nodes:
  a: {stage: make, matrix: {v: '\${vars.table[*].rate}'}}
  b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
  c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
  d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
  e: {stage: make, params: {label: 'x\${vars.table.c[*]}'}}
  f: {stage: make, matrix: {v: '\${vars.table.e[*]}'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:12:49: \`table.b\`, \`table.d\`, \`table.e\` have no member \`rate\` [unknown-variable]
      10 |   rows: [{rate: 1}]
      11 | nodes:
    > 12 |   a: {stage: make, matrix: {v: '\${vars.table[*].rate}'}}
         |                                                 ~~~~
      13 |   b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
      14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
      hint: \`table.b\` has \`rates\`: is it meant as \`rate\`?
    pipeline.yaml:5:5: \`table.b\` stands here
      3 |   table:
      4 |     a: {rate: 1}
    > 5 |     b: {rates: 2}
        |     ~
      6 |     c: {rate: 2, x: 1}
      7 |     d: {x: 1}

    pipeline.yaml:13:49: \`table.b\`, \`table.d\`, \`table.e\` have no member \`rate\` [unknown-variable]
      11 | nodes:
      12 |   a: {stage: make, matrix: {v: '\${vars.table[*].rate}'}}
    > 13 |   b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
         |                                                 ~~~~
      14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
      15 |   d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
      hint: \`table.b\` has \`rates\`: is it meant as \`rate\`?
    pipeline.yaml:5:5: \`table.b\` stands here
      3 |   table:
      4 |     a: {rate: 1}
    > 5 |     b: {rates: 2}
        |     ~
      6 |     c: {rate: 2, x: 1}
      7 |     d: {x: 1}

    pipeline.yaml:13:77: \`table.a\`, \`table.b\`, \`table.c\`, \`table.d\`, \`table.e\` have no member \`y\` [unknown-variable]
      11 | nodes:
      12 |   a: {stage: make, matrix: {v: '\${vars.table[*].rate}'}}
    > 13 |   b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
         |                                                                             ~
      14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
      15 |   d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
      hint: add \`y: …\` to \`table.a\`
    pipeline.yaml:4:5: \`table.a\` stands here
      2 | vars:
      3 |   table:
    > 4 |     a: {rate: 1}
        |     ~
      5 |     b: {rates: 2}
      6 |     c: {rate: 2, x: 1}

    pipeline.yaml:14:44: \`\${vars.rows[*]}\` stands for the members themselves, and they are mappings [bad-value]
      12 |   a: {stage: make, matrix: {v: '\${vars.table[*].rate}'}}
      13 |   b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
    > 14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
         |                                            ~~~
      15 |   d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
      16 |   e: {stage: make, params: {label: 'x\${vars.table.c[*]}'}}
      hint: name what you want of each: \`\${vars.rows[*].rate}\`

    pipeline.yaml:15:46: \`[*]\` stands for the members of a mapping or a list, and \`number\` is \`3\` [unknown-variable]
      13 |   b: {stage: make, matrix: {v: '\${vars.table[*].rate}', w: '\${vars.table[*].y}'}}
      14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
    > 15 |   d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
         |                                              ~~~
      16 |   e: {stage: make, params: {label: 'x\${vars.table.c[*]}'}}
      17 |   f: {stage: make, matrix: {v: '\${vars.table.e[*]}'}}

    pipeline.yaml:16:38: \`\${vars.table.c[*]}\` is a list, which cannot stand inside a text [bad-value]
      14 |   c: {stage: make, matrix: {v: '\${vars.rows[*]}'}}
      15 |   d: {stage: make, matrix: {v: '\${vars.number[*]}'}}
    > 16 |   e: {stage: make, params: {label: 'x\${vars.table.c[*]}'}}
         |                                      ~~~~~~~~~~~~~~~~~~
      17 |   f: {stage: make, matrix: {v: '\${vars.table.e[*]}'}}

    6 problems
    "
  `);
});

test('points at the line of a looked-up value that is wrong', async () => {
  const yaml = `version: 1
vars:
  minute: 1minute
  table:
    a: {rate: 1, from: made.out, time: 5m, count: 2}
    b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
    c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
  lengths: {a: 1, b: 7, c: 8}
nodes:
  made: {stage: make, matrix: {n: [1]}}
  model:
    stage: train
    matrix: {repeat: [1, 2], v: [a, b, c]}
    inputs: {features: '\${vars.table[matrix.v].from}'}
    params: {fold: '\${vars.table[matrix.v].rate}'}
    timeout: '\${vars.table[matrix.v].time}'
    resources: {cpu: '\${vars.table[matrix.v].count}'}
  merged: {stage: merge, matrix: {v: [a, b]}, inputs: {parts: 'model[repeat=\${vars.lengths[matrix.v]},v=*].model'}}
  lists: {stage: make, matrix: {v: [a, b]}, params: {label: 'x\${vars.table[matrix.v]}'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:5:24: \`made\` has the axis \`n\`; name it to say which variant (through \${vars.table[matrix.v].from} in node \`model\`) [bad-reference]
      3 |   minute: 1minute
      4 |   table:
    > 5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
        |                        ~~~~~~~~
      6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
      7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
      hint: write \`made[n=*]\` (\`*\` stands for all values)

    pipeline.yaml:6:15: \`fold\` must be a whole number, not the text \`x\` (through \${vars.table[matrix.v].rate} in node \`model\`) [bad-value]
      4 |   table:
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
    > 6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
        |               ~
      7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
      8 |   lengths: {a: 1, b: 7, c: 8}

    pipeline.yaml:6:24: there is no node or source \`mad\` (through \${vars.table[matrix.v].from} in node \`model\`) [unknown-node]
      4 |   table:
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
    > 6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
        |                        ~~~~~~~
      7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
      8 |   lengths: {a: 1, b: 7, c: 8}
      hint: did you mean \`made\`?

    pipeline.yaml:6:39: \`timeout\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`5 minutes\` (through \${vars.table[matrix.v].time} in node \`model\`) [bad-value]
      4 |   table:
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
    > 6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
        |                                       ~~~~~~~~~
      7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
      8 |   lengths: {a: 1, b: 7, c: 8}

    pipeline.yaml:6:57: \`cpu\` must be a number of cores above 0, not \`0\` (through \${vars.table[matrix.v].count} in node \`model\`) [bad-value]
      4 |   table:
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
    > 6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
        |                                                         ~
      7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
      8 |   lengths: {a: 1, b: 7, c: 8}

    pipeline.yaml:7:25: \`made\` has the axis \`n\`; name it to say which variant (through \${vars.table[matrix.v].from} in node \`model\`) [bad-reference]
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
      6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
    > 7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
        |                         ~~~~~~~~
      8 |   lengths: {a: 1, b: 7, c: 8}
      9 | nodes:
      hint: write \`made[n=*]\` (\`*\` stands for all values)

    pipeline.yaml:7:50: \`timeout\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`1minute\` (through \${vars.table[matrix.v].time} in node \`model\`) (through \${vars.minute}) [bad-value]
      5 |     a: {rate: 1, from: made.out, time: 5m, count: 2}
      6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
    > 7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
        |                                                  ~~~~~~~~~~~~~~~~
      8 |   lengths: {a: 1, b: 7, c: 8}
      9 | nodes:

    pipeline.yaml:18:63: the axis \`repeat\` of \`model\` has no value \`7\` (through \${vars.lengths[matrix.v]} where v=b) [unknown-axis]
      16 |     timeout: '\${vars.table[matrix.v].time}'
      17 |     resources: {cpu: '\${vars.table[matrix.v].count}'}
    > 18 |   merged: {stage: merge, matrix: {v: [a, b]}, inputs: {parts: 'model[repeat=\${vars.lengths[matrix.v]},v=*].mo…
         |                                                               ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      19 |   lists: {stage: make, matrix: {v: [a, b]}, params: {label: 'x\${vars.table[matrix.v]}'}}
      hint: its values: \`1\`, \`2\`
    pipeline.yaml:8:22: \`7\` stands here
       6 |     b: {rate: x, from: mad.out, time: 5 minutes, count: 0}
       7 |     c: {rate: 2, from: [made.out, merged], time: '\${vars.minute}', count: 1}
    >  8 |   lengths: {a: 1, b: 7, c: 8}
         |                      ~
       9 | nodes:
      10 |   made: {stage: make, matrix: {n: [1]}}

    pipeline.yaml:19:63: \`\${vars.table[matrix.v]}\` is a mapping, which cannot stand inside a text (where \`v=a\`, \`v=b\`) [bad-value]
      17 |     resources: {cpu: '\${vars.table[matrix.v].count}'}
      18 |   merged: {stage: merge, matrix: {v: [a, b]}, inputs: {parts: 'model[repeat=\${vars.lengths[matrix.v]},v=*].mo…
    > 19 |   lists: {stage: make, matrix: {v: [a, b]}, params: {label: 'x\${vars.table[matrix.v]}'}}
         |                                                               ~~~~~~~~~~~~~~~~~~~~~~~

    9 problems
    "
  `);
});

test('points at the line of a param in a looked-up mapping', async () => {
  const yaml = `version: 1
vars:
  settings:
    a: {count: 0, labl: x}
    b: {count: 1}
    c: 7
    d: [1]
  model: {sizes: [1, x]}
nodes:
  made: {stage: make, matrix: {n: [1, 2], model: [a, b, c, d]}, params: '\${vars.settings[matrix.model]}'}
  model: {stage: train, inputs: {features: 'made[n=1,model=b].out'}, params: '\${vars.model}'}
  other: {stage: make, params: '\${vars.modell}'}
  text: {stage: make, params: 'x\${vars.model}'}
  told: {command: [echo, '\${params.x}'], params: '\${vars.settings.c}', outputs: {o: o}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:16: \`count\` must be >= 1, not \`0\` (through \${vars.settings[matrix.model]} in node \`made\`) [bad-value]
      2 | vars:
      3 |   settings:
    > 4 |     a: {count: 0, labl: x}
        |                ~
      5 |     b: {count: 1}
      6 |     c: 7

    pipeline.yaml:4:19: stage \`make\` has no param \`labl\` (through \${vars.settings[matrix.model]} in node \`made\`) [unknown-param]
      2 | vars:
      3 |   settings:
    > 4 |     a: {count: 0, labl: x}
        |                   ~~~~
      5 |     b: {count: 1}
      6 |     c: 7
      hint: did you mean \`label\`?

    pipeline.yaml:6:8: \`params\` must be a mapping, not \`7\` (through \${vars.settings[matrix.model]} in node \`made\`) [bad-value]
      4 |     a: {count: 0, labl: x}
      5 |     b: {count: 1}
    > 6 |     c: 7
        |        ~
      7 |     d: [1]
      8 |   model: {sizes: [1, x]}

    pipeline.yaml:7:5: \`params\` must be a mapping, not a list (through \${vars.settings[matrix.model]} in node \`made\`) [bad-value]
      5 |     b: {count: 1}
      6 |     c: 7
    > 7 |     d: [1]
        |     ~
      8 |   model: {sizes: [1, x]}
      9 | nodes:

    pipeline.yaml:8:3: node \`model\` gives no value for the param \`fold\` of stage \`train\` (through \${vars.model} in node \`model\`) [missing-param]
       6 |     c: 7
       7 |     d: [1]
    >  8 |   model: {sizes: [1, x]}
         |   ~~~~~
       9 | nodes:
      10 |   made: {stage: make, matrix: {n: [1, 2], model: [a, b, c, d]}, params: '\${vars.settings[matrix.model]}'}
      hint: \`fold\`: held out

    pipeline.yaml:8:22: item 2 of \`sizes\` must be a whole number, not the text \`x\` (through \${vars.model} in node \`model\`) [bad-value]
       6 |     c: 7
       7 |     d: [1]
    >  8 |   model: {sizes: [1, x]}
         |                      ~
       9 | nodes:
      10 |   made: {stage: make, matrix: {n: [1, 2], model: [a, b, c, d]}, params: '\${vars.settings[matrix.model]}'}

    pipeline.yaml:12:33: unknown variable \`modell\` [unknown-variable]
      10 |   made: {stage: make, matrix: {n: [1, 2], model: [a, b, c, d]}, params: '\${vars.settings[matrix.model]}'}
      11 |   model: {stage: train, inputs: {features: 'made[n=1,model=b].out'}, params: '\${vars.model}'}
    > 12 |   other: {stage: make, params: '\${vars.modell}'}
         |                                 ~~~~~~~~~~~~~~
      13 |   text: {stage: make, params: 'x\${vars.model}'}
      14 |   told: {command: [echo, '\${params.x}'], params: '\${vars.settings.c}', outputs: {o: o}}
      hint: did you mean \`model\`?

    pipeline.yaml:13:31: \`params\` must be a mapping, or a reference to one, not the text \`x\${vars.model}\` (through \${vars.model}) [schema-violation]
      11 |   model: {stage: train, inputs: {features: 'made[n=1,model=b].out'}, params: '\${vars.model}'}
      12 |   other: {stage: make, params: '\${vars.modell}'}
    > 13 |   text: {stage: make, params: 'x\${vars.model}'}
         |                               ~~~~~~~~~~~~~~~~
      14 |   told: {command: [echo, '\${params.x}'], params: '\${vars.settings.c}', outputs: {o: o}}

    pipeline.yaml:14:27: \`\${params.x}\` refers to nothing [unknown-param]
      12 |   other: {stage: make, params: '\${vars.modell}'}
      13 |   text: {stage: make, params: 'x\${vars.model}'}
    > 14 |   told: {command: [echo, '\${params.x}'], params: '\${vars.settings.c}', outputs: {o: o}}
         |                           ~~~~~~~~~~~

    9 problems
    "
  `);
});

test('says which override or profile brought a looked-up value', async () => {
  const yaml = `version: 1
vars:
  table: {a: {rate: 1, n: 1}, h1+h2: {rate: 2, n: 1}}
profiles: {odd: {vars: {table: {a: {n: 7}}}}}
nodes:
  made: {stage: make, matrix: {n: [1]}}
  model:
    stage: train
    matrix: {v: [a, h1+h2]}
    inputs: {features: 'made[n=\${vars.table[matrix.v].n}]'}
    params: {fold: '\${vars.table[matrix.v].rate}'}
`;
  expect(await mistakes(yaml, ['table.h1+h2.rate=x', 'table.h1+h2.n=3'])).toMatchInlineSnapshot(`
    "
    \`fold\` must be a whole number, not the text \`x\` (through \${vars.table[matrix.v].rate} in node \`model\`) (from --set table.h1+h2.rate=x) [bad-value]

    pipeline.yaml:10:24: the axis \`n\` of \`made\` has no value \`3\` (through \${vars.table[matrix.v].n} where v=h1+h2, set by --set table.h1+h2.n=3) [unknown-axis]
       8 |     stage: train
       9 |     matrix: {v: [a, h1+h2]}
    > 10 |     inputs: {features: 'made[n=\${vars.table[matrix.v].n}]'}
         |                        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      11 |     params: {fold: '\${vars.table[matrix.v].rate}'}
      hint: its values: \`1\`

    2 problems
    "
  `);
  expect(await mistakes(yaml, ['table.a=5'])).toMatchInlineSnapshot(`
    "
    pipeline.yaml:10:55: \`table.a\` has no member \`n\` [unknown-variable]
       8 |     stage: train
       9 |     matrix: {v: [a, h1+h2]}
    > 10 |     inputs: {features: 'made[n=\${vars.table[matrix.v].n}]'}
         |                                                       ~
      11 |     params: {fold: '\${vars.table[matrix.v].rate}'}
      hint: \`table.a\` is \`5\`
    \`table.a\` stands here: --set table.a=5

    pipeline.yaml:11:44: \`table.a\` has no member \`rate\` [unknown-variable]
       9 |     matrix: {v: [a, h1+h2]}
      10 |     inputs: {features: 'made[n=\${vars.table[matrix.v].n}]'}
    > 11 |     params: {fold: '\${vars.table[matrix.v].rate}'}
         |                                            ~~~~
      hint: \`table.a\` is \`5\`
    \`table.a\` stands here: --set table.a=5

    2 problems
    "
  `);
  expect(await mistakes(yaml, [], ['odd'])).toMatchInlineSnapshot(`
    "
    pipeline.yaml:10:24: the axis \`n\` of \`made\` has no value \`7\` (through \${vars.table[matrix.v].n} where v=a) [unknown-axis]
       8 |     stage: train
       9 |     matrix: {v: [a, h1+h2]}
    > 10 |     inputs: {features: 'made[n=\${vars.table[matrix.v].n}]'}
         |                        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      11 |     params: {fold: '\${vars.table[matrix.v].rate}'}
      hint: its values: \`1\`
    pipeline.yaml:4:40: \`7\` stands here
      2 | vars:
      3 |   table: {a: {rate: 1, n: 1}, h1+h2: {rate: 2, n: 1}}
    > 4 | profiles: {odd: {vars: {table: {a: {n: 7}}}}}
        |                                        ~
      5 | nodes:
      6 |   made: {stage: make, matrix: {n: [1]}}
    "
  `);
});

test('reports rows of a matrix where they stand in variables', async () => {
  const yaml = `version: 1
vars:
  rows:
    - {x: 1}
    - {y: 1}
    - {x: [1, null]}
  text: abc
  few: [{x: 1}, 5]
nodes:
  a: {stage: make, matrix: {x: [1, 2], when: '\${vars.rows}'}}
  b: {stage: make, matrix: {x: [1, 2], exclude: '\${vars.few}'}}
  c: {stage: make, matrix: {x: [1, 2], include: '\${vars.text}'}}
  d: {stage: make, matrix: {x: [1, 2], when: {x: '\${vars.few}'}, include: abc}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:6:15: a value of an axis must be a text, a number or true/false, not nothing [bad-value]
      4 |     - {x: 1}
      5 |     - {y: 1}
    > 6 |     - {x: [1, null]}
        |               ~~~~
      7 |   text: abc
      8 |   few: [{x: 1}, 5]

    pipeline.yaml:7:9: a member of \`include\` must be a mapping from axis to value, not the text \`abc\` [bad-value]
      5 |     - {y: 1}
      6 |     - {x: [1, null]}
    > 7 |   text: abc
        |         ~~~
      8 |   few: [{x: 1}, 5]
      9 | nodes:

    pipeline.yaml:8:17: a member of \`exclude\` must be a mapping from axis to value, not \`5\` [bad-value]
       6 |     - {x: [1, null]}
       7 |   text: abc
    >  8 |   few: [{x: 1}, 5]
         |                 ~
       9 | nodes:
      10 |   a: {stage: make, matrix: {x: [1, 2], when: '\${vars.rows}'}}

    pipeline.yaml:13:75: \`include\` must be a list of mappings from axis to value, or a reference to one, not the text \`abc\` [schema-violation]
      11 |   b: {stage: make, matrix: {x: [1, 2], exclude: '\${vars.few}'}}
      12 |   c: {stage: make, matrix: {x: [1, 2], include: '\${vars.text}'}}
    > 13 |   d: {stage: make, matrix: {x: [1, 2], when: {x: '\${vars.few}'}, include: abc}}
         |                                                                           ~~~

    4 problems
    "
  `);
});

test('reports lists that select nothing, and where none may stand', async () => {
  const yaml = `version: 1
vars: {groups: {none: [], odd: [[1]], gone: [a, x]}}
nodes:
  base: {stage: make, matrix: {v: [a, b]}}
  a: {stage: merge, matrix: {g: [none, odd]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
  b: {stage: merge, matrix: {g: [gone]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
  c: {stage: merge, matrix: {g: [gone]}, inputs: {parts: '\${vars.groups[matrix.g]}[v=a]'}}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:5:71: \`\${vars.groups[matrix.g]}\` is an empty list, which cannot stand inside a text (where \`g=none\`, \`g=odd\`) [bad-value]
      3 | nodes:
      4 |   base: {stage: make, matrix: {v: [a, b]}}
    > 5 |   a: {stage: merge, matrix: {g: [none, odd]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
        |                                                                       ~~~~~~~~~~~~~~~~~~~~~~~~
      6 |   b: {stage: merge, matrix: {g: [gone]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
      7 |   c: {stage: merge, matrix: {g: [gone]}, inputs: {parts: '\${vars.groups[matrix.g]}[v=a]'}}

    pipeline.yaml:6:58: the axis \`v\` of \`base\` has no value \`x\` (through \${vars.groups[matrix.g]} where g=gone) [unknown-axis]
      4 |   base: {stage: make, matrix: {v: [a, b]}}
      5 |   a: {stage: merge, matrix: {g: [none, odd]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
    > 6 |   b: {stage: merge, matrix: {g: [gone]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
        |                                                          ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      7 |   c: {stage: merge, matrix: {g: [gone]}, inputs: {parts: '\${vars.groups[matrix.g]}[v=a]'}}
      hint: its values: \`a\`, \`b\`
    pipeline.yaml:2:49: \`x\` stands here
      1 | version: 1
    > 2 | vars: {groups: {none: [], odd: [[1]], gone: [a, x]}}
        |                                                 ~
      3 | nodes:
      4 |   base: {stage: make, matrix: {v: [a, b]}}

    pipeline.yaml:7:59: \`\${vars.groups[matrix.g]}\` is a list, which cannot stand inside a text (where \`g=gone\`) [bad-value]
      5 |   a: {stage: merge, matrix: {g: [none, odd]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
      6 |   b: {stage: merge, matrix: {g: [gone]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
    > 7 |   c: {stage: merge, matrix: {g: [gone]}, inputs: {parts: '\${vars.groups[matrix.g]}[v=a]'}}
        |                                                           ~~~~~~~~~~~~~~~~~~~~~~~~

    3 problems
    "
  `);
});

test('shows where a value that came through axes and lists stands, once for all places that use it', async () => {
  const yaml = `version: 1
vars:
  wanted: [a, b]
  group: one
  groups: {one: [a, x], two: [a]}
  kinds:
    a: {label: p, count: 1}
    b: {label: p, count: many}
nodes:
  base: {stage: make, matrix: {v: ['a', 'c']}}
  all: {stage: make, matrix: {count: '\${vars.kinds[*].count}'}, params: {count: '\${matrix.count}'}}
  more: {stage: make, matrix: {n: '\${all.count}'}, params: {count: '\${matrix.n}'}}
  first: {stage: merge, inputs: {parts: 'base[v=\${vars.wanted}]'}}
  second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
  named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
  lost: {stage: make, matrix: {g: [one, tow]}, params: {label: '\${vars.kinds[matrix.g].label}'}}
targets: {wanted: ['base[v=\${vars.wanted}]']}
`;
  expect(await mistakes(yaml)).toMatchInlineSnapshot(`
    "
    pipeline.yaml:11:81: \`count\` must be a whole number, not the text \`many\` (through \${matrix.count}); 1 more place uses it, too [bad-value]
       9 | nodes:
      10 |   base: {stage: make, matrix: {v: ['a', 'c']}}
    > 11 |   all: {stage: make, matrix: {count: '\${vars.kinds[*].count}'}, params: {count: '\${matrix.count}'}}
         |                                                                                 ~~~~~~~~~~~~~~~~~
      12 |   more: {stage: make, matrix: {n: '\${all.count}'}, params: {count: '\${matrix.n}'}}
      13 |   first: {stage: merge, inputs: {parts: 'base[v=\${vars.wanted}]'}}
    pipeline.yaml:8:26: \`many\` stands here
       6 |   kinds:
       7 |     a: {label: p, count: 1}
    >  8 |     b: {label: p, count: many}
         |                          ~~~~
       9 | nodes:
      10 |   base: {stage: make, matrix: {v: ['a', 'c']}}

    pipeline.yaml:13:41: the axis \`v\` of \`base\` has no value \`b\` (through \${vars.wanted}); 2 more places use it, too [unknown-axis]
      11 |   all: {stage: make, matrix: {count: '\${vars.kinds[*].count}'}, params: {count: '\${matrix.count}'}}
      12 |   more: {stage: make, matrix: {n: '\${all.count}'}, params: {count: '\${matrix.n}'}}
    > 13 |   first: {stage: merge, inputs: {parts: 'base[v=\${vars.wanted}]'}}
         |                                         ~~~~~~~~~~~~~~~~~~~~~~~~
      14 |   second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
      15 |   named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
      hint: its values: \`a\`, \`c\`
    pipeline.yaml:3:15: \`b\` stands here
      1 | version: 1
      2 | vars:
    > 3 |   wanted: [a, b]
        |               ~
      4 |   group: one
      5 |   groups: {one: [a, x], two: [a]}

    pipeline.yaml:15:75: the axis \`v\` of \`base\` has no value \`x\` (through \${vars.groups[matrix.g]} where g=one) [unknown-axis]
      13 |   first: {stage: merge, inputs: {parts: 'base[v=\${vars.wanted}]'}}
      14 |   second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
    > 15 |   named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
         |                                                                           ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      16 |   lost: {stage: make, matrix: {g: [one, tow]}, params: {label: '\${vars.kinds[matrix.g].label}'}}
      17 | targets: {wanted: ['base[v=\${vars.wanted}]']}
      hint: its values: \`a\`, \`c\`
    pipeline.yaml:5:21: \`x\` stands here
      3 |   wanted: [a, b]
      4 |   group: one
    > 5 |   groups: {one: [a, x], two: [a]}
        |                     ~
      6 |   kinds:
      7 |     a: {label: p, count: 1}

    pipeline.yaml:15:75: input \`parts\` of stage \`merge\` takes a file, and \`base[v=a]\` is a tree (through \${vars.groups[matrix.g]} where g=two) [kind-mismatch]
      13 |   first: {stage: merge, inputs: {parts: 'base[v=\${vars.wanted}]'}}
      14 |   second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
    > 15 |   named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
         |                                                                           ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
      16 |   lost: {stage: make, matrix: {g: [one, tow]}, params: {label: '\${vars.kinds[matrix.g].label}'}}
      17 | targets: {wanted: ['base[v=\${vars.wanted}]']}

    pipeline.yaml:16:77: \`kinds\` has no members \`one\`, \`tow\`, asked for by the axis \`g\` [unknown-variable]
      14 |   second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
      15 |   named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
    > 16 |   lost: {stage: make, matrix: {g: [one, tow]}, params: {label: '\${vars.kinds[matrix.g].label}'}}
         |                                                                             ~~~~~~~~~~
      17 | targets: {wanted: ['base[v=\${vars.wanted}]']}
      hint: add \`one: …\` to \`kinds\`; known: \`a\`, \`b\`
    pipeline.yaml:16:36: \`one\` stands here
      14 |   second: {stage: merge, inputs: {parts: ['base[v=\${vars.wanted}]']}}
      15 |   named: {stage: merge, matrix: {g: '\${vars.groups[*]}'}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]}]'}}
    > 16 |   lost: {stage: make, matrix: {g: [one, tow]}, params: {label: '\${vars.kinds[matrix.g].label}'}}
         |                                    ~~~
      17 | targets: {wanted: ['base[v=\${vars.wanted}]']}

    5 problems
    "
  `);
});

test('shows once what is wrong under an anchor, and an override only once', async () => {
  const yaml = `version: 1
vars: {kinds: {a: {n: 1}, b: {}}, wanted: [1]}
nodes:
  one: {stage: make, matrix: &both {n: '\${vars.kinds[*].n}'}}
  two: {stage: make, matrix: *both}
  base: {stage: make, matrix: {n: [1]}}
  sum: {stage: merge, inputs: {parts: 'base[n=\${vars.wanted}]'}}
  other: {stage: make, matrix: {n: '\${vars.wanted}'}, params: {count: '\${matrix.n}'}}
`;
  expect(await mistakes(yaml, ['wanted=[1,"x"]'])).toMatchInlineSnapshot(`
    "
    pipeline.yaml:4:57: \`kinds.b\` has no member \`n\` [unknown-variable]
      2 | vars: {kinds: {a: {n: 1}, b: {}}, wanted: [1]}
      3 | nodes:
    > 4 |   one: {stage: make, matrix: &both {n: '\${vars.kinds[*].n}'}}
        |                                                         ~
      5 |   two: {stage: make, matrix: *both}
      6 |   base: {stage: make, matrix: {n: [1]}}
      hint: add \`n: …\` to \`kinds.b\`
    pipeline.yaml:2:27: \`kinds.b\` stands here
      1 | version: 1
    > 2 | vars: {kinds: {a: {n: 1}, b: {}}, wanted: [1]}
        |                           ~
      3 | nodes:
      4 |   one: {stage: make, matrix: &both {n: '\${vars.kinds[*].n}'}}

    pipeline.yaml:7:39: the axis \`n\` of \`base\` has no value \`x\` (through \${vars.wanted}, set by --set wanted=[1,"x"]) [unknown-axis]
      5 |   two: {stage: make, matrix: *both}
      6 |   base: {stage: make, matrix: {n: [1]}}
    > 7 |   sum: {stage: merge, inputs: {parts: 'base[n=\${vars.wanted}]'}}
        |                                       ~~~~~~~~~~~~~~~~~~~~~~~~
      8 |   other: {stage: make, matrix: {n: '\${vars.wanted}'}, params: {count: '\${matrix.n}'}}
      hint: its values: \`1\`

    pipeline.yaml:8:71: \`count\` must be a whole number, not the text \`x\` (through \${matrix.n}) [bad-value]
      6 |   base: {stage: make, matrix: {n: [1]}}
      7 |   sum: {stage: merge, inputs: {parts: 'base[n=\${vars.wanted}]'}}
    > 8 |   other: {stage: make, matrix: {n: '\${vars.wanted}'}, params: {count: '\${matrix.n}'}}
        |                                                                       ~~~~~~~~~~~~~
    \`x\` stands here: --set wanted=[1,"x"]

    3 problems
    "
  `);
});
