import {expect, test} from 'vitest';
import {renderDiagnostics} from '../../../src/core/diagnostic-text.ts';
import {importDvc, type Imported} from '../../../src/import/import-dvc.ts';

/** Imports a dvc.yaml that stands in a folder with the given files; a text of undefined stands for a folder. */
async function load(text: string, beside: Readonly<Record<string, string | undefined>> = {}): Promise<Imported> {
  const result = await importDvc({
    text,
    files: {
      read: (path) => beside[path],
      kindOf: (path) => (path in beside ? (beside[path] === undefined ? 'tree' : 'file') : undefined),
    },
    sourcePath: (path) => path,
  });
  if (!result.ok) throw new Error(renderDiagnostics(result.error));
  return result.value;
}

function told({notes}: Imported): string {
  return notes.map(({line, message, hint}) => `${line}: ${message} -> ${hint}`).join('\n');
}

test('imports stages in a row, with the kinds that dvc.lock knows', async () => {
  const imported = await load(
    `stages:
  prepare:
    cmd: python src/prepare.py data/raw.xml
    deps: [data/raw.xml, src/prepare.py]
    params: [prepare.seed, prepare.split]
    outs: [data/prepared]
  train:
    cmd: python src/train.py data/prepared > model.pkl
    deps: [data/prepared/rows.txt, src/train.py, src]
    outs: [model.pkl, logs/list]
    metrics:
      - scores.json: {cache: true}
`,
    {
      'params.yaml': 'prepare: {seed: 1}',
      'data/raw.xml': 'x',
      'src/prepare.py': 'x',
      'src/train.py': 'x',
      src: undefined,
      'dvc.lock': `stages:
  prepare:
    outs: [{path: data/prepared, md5: 0123.dir}]
  train:
    outs: [{path: logs/list, md5: '4567'}]
`,
    },
  );
  expect(imported.text).toBe(`version: 1
sources:
  raw: data/raw.xml
  prepare-py: src/prepare.py
  params-yaml: params.yaml
  train-py: src/train.py
  src: src
nodes:
  prepare:
    command: [python, src/prepare.py, data/raw.xml]
    inputs: {data/raw.xml: raw, src/prepare.py: prepare-py, params.yaml: params-yaml}
    outputs: {prepared: {path: data/prepared, kind: tree}}
    scratch: ['**/__pycache__/**']
  train:
    shell: bash -e
    script: python src/train.py data/prepared > model.pkl
    inputs: {data/prepared: prepare, src: src}
    outputs: {model: model.pkl, list: logs/list, scores: {path: scores.json, display: true}}
    scratch: ['**/__pycache__/**']
`);
  expect(told(imported)).toBe(
    '5: stage `prepare` watches only some values of params.yaml; the node is stale when anything in it changes' +
      ' -> to be exact, split the file, or pass the values as `${vars.…}` in the command',
  );
});

test('expands foreach and matrix, and keeps references to values', async () => {
  const imported = await load(
    `vars:
  - extra.json:rate
  - shared: {size: 1.0, flags: {deep: true, off: false, sizes: [1, 2], name: a b}}
stages:
  fit:
    foreach: \${models}
    do:
      cmd: ./fit.sh \${item.rounds} \${shared.size} \${rate} \${key}
      deps: [fit.sh]
      outs: ['models/\${key}.txt']
  score:
    matrix:
      model: [us, gb]
      opts: [{top: 1}]
    cmd: head -n \${item.opts.top} models/\${item.model}.txt > \${item.model}.json
    deps: ['models/\${item.model}.txt']
    metrics: ['\${item.model}.json']
  each:
    foreach: [a.b, C]
    do:
      cmd: echo "\\\${HOME}" \${item} > \${item}.txt
      outs: ['\${item}.txt']
  odd:
    cmd: run \${shared.flags} \${nothing}
    outs: [odd.txt]
`,
    {
      'params.yaml': 'models: {us: {rounds: 3}, gb: {rounds: 1e-4}}\nunused: 1',
      'extra.json': '{"rate": 0.5, "other": 1}',
      'fit.sh': 'x',
    },
  );
  expect(imported.text).toBe(`version: 1
vars:
  models: {us: {rounds: 3}, gb: {rounds: '1e-4'}}
  rate: 0.5
  shared: {size: '1.0', flags: {deep: true, off: false, sizes: [1, 2], name: a b}}
sources: {fit: fit.sh}
nodes:
  fit-us:
    shell: bash -e
    script: |
      chmod +x fit.sh
      ./fit.sh \${vars.models.us.rounds} \${vars.shared.size} \${vars.rate} us
    inputs: {fit.sh: fit}
    outputs: {us: models/us.txt}
  fit-gb:
    shell: bash -e
    script: |
      chmod +x fit.sh
      ./fit.sh \${vars.models.gb.rounds} \${vars.shared.size} \${vars.rate} gb
    inputs: {fit.sh: fit}
    outputs: {gb: models/gb.txt}
  score-us-opts0:
    shell: bash -e
    script: head -n 1 models/us.txt > us.json
    inputs: {models/us.txt: fit-us}
    outputs: {us: {path: us.json, display: true}}
  score-gb-opts0:
    shell: bash -e
    script: head -n 1 models/gb.txt > gb.json
    inputs: {models/gb.txt: fit-gb}
    outputs: {gb: {path: gb.json, display: true}}
  each-a-b:
    shell: bash -e
    script: echo "$\${HOME}" a.b > a.b.txt
    outputs: {a-b: a.b.txt}
  each-c:
    shell: bash -e
    script: echo "$\${HOME}" C > C.txt
    outputs: {c: C.txt}
  odd:
    shell: bash -e
    script: run --deep --sizes \${vars.shared.flags.sizes.0} \${vars.shared.flags.sizes.1} --name '\${vars.shared.flags.name}' $\${nothing}
    outputs: {odd: odd.txt}
`);
  expect(told(imported)).toBe(
    [
      '1: values that commands refer to are copied to `vars`: `models`, `rate`, `shared` -> change them there; files that programs read by themselves, such as params.yaml, stay as they are',
      '5: the instances of `fit` are nodes of their own, with the values of `item` written out -> for another instance, copy a node, or import again with --force',
      '11: the instances of `score` are nodes of their own, with the values of `item` written out -> for another instance, copy a node, or import again with --force',
      '18: the instances of `each` are nodes of their own, with the values of `item` written out -> for another instance, copy a node, or import again with --force',
      '24: `${nothing}` refers to nothing that was found -> write the value into pipeline.yaml yourself',
    ].join('\n'),
  );
});

test('runs lists of commands in the folder of the stage, and says what it leaves out', async () => {
  const imported = await load(
    `artifacts: {m: {path: out.txt}}
stages:
  all:
    wdir: sub
    cmd:
      - cd deep && make
      - ../tool.sh out.txt
    deps: [../tool.sh, deep, ../parts, ../../far, 's3://a/b', 'odd name']
    outs:
      - out.txt: {persist: true, cache: false}
    plots:
      - curve: {x: step}
    frozen: true
  parts:
    cmd: split all.txt
    always_changed: true
    outs: [parts/a.txt, parts/b.txt]
  push:
    cmd: curl -T sub/out.txt host
    deps: [sub/out.txt, sub]
    live: {x: 1}
`,
    {'tool.sh': 'x', 'sub/deep': undefined},
  );
  expect(imported.text).toBe(`version: 1
sources: {tool: tool.sh, deep: sub/deep}
nodes:
  all:
    shell: bash -e
    script: |
      chmod +x tool.sh
      mkdir -p sub && cd sub
      (cd deep && make)
      ../tool.sh out.txt
    inputs: {tool.sh: tool, sub/deep: deep, parts/a.txt: parts.a, parts/b.txt: parts.b}
    outputs: {out: sub/out.txt, curve: {path: sub/curve, kind: tree}}
  parts:
    command: [split, all.txt]
    outputs: {a: parts/a.txt, b: parts/b.txt}
  push:
    shell: bash -e
    script: |
      curl -T sub/out.txt host
      echo done > done.txt
    inputs: {sub/out.txt: all.out, sub/curve: all.curve}
    outputs: {done: done.txt}
`);
  expect(told(imported)).toMatchInlineSnapshot(`
    "1: \`artifacts\` beside \`stages\` left out -> keep names and labels of models where you publish them
    8: of \`parts\`, \`all\` gets what stages make: \`parts/a.txt\`, \`parts/b.txt\` -> add other files in it to \`inputs\`
    8: input \`../far\` of \`all\` left out: it lies outside the folder of dvc.yaml -> copy or download it into the project, make that a source, and add it to \`inputs\`
    8: input \`s3://a/b\` of \`all\` left out: it lies outside the folder of dvc.yaml -> copy or download it into the project, make that a source, and add it to \`inputs\`
    8: input \`sub/odd name\` of \`all\` left out: it has a character that a name of an input cannot have -> copy or download it into the project, make that a source, and add it to \`inputs\`
    10: \`out.txt\` has \`persist: true\`: here a command starts without its last output -> make the command write the whole output each time
    10: \`out.txt\` has \`cache: false\`: here it is kept in the cache and not written into the project -> read it in runs/latest/out, or copy it out: mixdown show NODE.OUTPUT --to PATH
    12: \`x\` of \`curve\` left out -> nothing stands for it; draw plots in a node of their own
    12: \`sub/curve\` is taken for a folder -> if it is a file, write: curve: sub/curve
    13: \`all\` is frozen: here it runs when it is stale -> make its outputs sources instead
    16: \`parts\` has \`always_changed\`: here a node runs only when something changed -> run it again with: mixdown run NODE --force
    18: \`push\` has no outputs: its node only writes done.txt when it is done -> declare the files that it writes under \`outputs\`: any other is an error
    20: of \`sub\`, \`push\` gets what stages make: \`sub/out.txt\`, \`sub/curve\` -> add other files in it to \`inputs\`
    21: \`live\` of \`push\` left out -> write by hand what it stands for"
  `);
});

test('refuses what is no pipeline of DVC', async () => {
  const fail = async (text: string) => load(text).catch(({message}: Error) => message);
  expect(await fail('stages: [')).toContain('dvc.yaml:1:10: ');
  expect(await fail('outs: []')).toContain('dvc.yaml has no `stages`');
  expect(await fail('stages: {}')).toContain('dvc.yaml has no `stages`');
});
