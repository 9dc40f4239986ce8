import {chmodSync, readdirSync, symlinkSync, watch} from 'node:fs';
import {format} from 'prettier';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {errorsOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

const stage = `import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'score',
  summary: 'Scores nothing in particular.',
  params: {
    fold: {type: 'integer', about: 'a fold'},
    level: {type: 'string', about: 'a level'},
    bias: {type: 'number', default: 0, about: 'added to the score'},
  },
  inputs: {notes: {kind: 'tree', about: 'texts'}},
  outputs: {
    table: {kind: 'file', name: 'table.md', about: 'a table'},
    plot: {kind: 'file', name: 'plot.svg', about: 'a plot'},
    log: {kind: 'file', name: 'log.txt', about: 'a text'},
    blob: {kind: 'file', name: 'blob.bin', about: 'no text'},
    folder: {kind: 'tree', name: 'folder', about: 'a folder'},
  },
  run({params: {fold, level, bias}, outputs, metric}) {
    const map3 = fold / 8 + level.length / 16 + bias;
    metric('map3', map3);
    metric('clips', fold * 10);
    writeFileSync(outputs.table, \`| score  |\\r\\n| ------ |\\r\\n| \${map3} |\\r\\n\`);
    writeFileSync(outputs.plot, \`<svg>\${map3}</svg>\\n\`);
    writeFileSync(outputs.log, \`\\\`\\\`\\\`\\nscore *\${map3}*\\n\`);
    writeFileSync(outputs.blob, Buffer.from([255, 0, 254]));
    writeFileSync(\`\${outputs.folder}/a\`, 'a');
  },
});
`;

const pipeline = `version: 1
sources: {notes: notes}
vars: {bias: 0}
nodes:
  score:
    stage: score
    matrix: {fold: [1, 2], level: [h1, h1+h2]}
    inputs: {notes: notes}
    params: {fold: '\${matrix.fold}', level: '\${matrix.level}', bias: '\${vars.bias}'}
documents: README.md
`;

const first = 'score[fold=1,level=h1]';
const source = `# Results

The best of <!-- mixdown: value score.map3 of=count --><!-- /mixdown --> is
at <!-- mixdown: value score.map3 of=max digits=2 --><!-- /mixdown -->; fold <!-- mixdown: value ${first}.params.fold -->?<!-- /mixdown -->.

<!-- mixdown: metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level" -->
<!-- /mixdown -->

- in a list

  <!-- mixdown: metrics 'score[fold=1]' --sort map3 -->
  <!-- /mixdown -->

<!-- prettier-ignore-start -->
<!-- mixdown: file ${first}.table -->
<!-- /mixdown -->
<!-- prettier-ignore-end -->

<!-- mixdown: file ${first}.log --><!-- /mixdown -->

<!-- mixdown: figure ${first}.plot "img/the plot.svg" --alt "A [plot]" -->
<!-- /mixdown -->

\`\`\`md
<!-- mixdown: metrics of nothing -->
<!-- /mixdown -->
\`\`\`
`;

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
  workspace.write('stages/score.ts', stage);
  workspace.write('pipeline.yaml', pipeline);
  workspace.write('README.md', source);
});
afterEach(() => {
  workspace.dispose();
});

/** A project with results whose README is rendered. */
async function rendered(): Promise<string> {
  expect(await workspace.run('run', '--quiet')).toMatchObject({code: 0});
  expect(await workspace.run('render')).toMatchObject({code: 0, stderr: ''});
  return workspace.read('README.md');
}

test('every kind of block is filled; what was filled stays; prettier has nothing to say', async () => {
  await workspace.run('run', '--quiet');
  expect(await workspace.run('render')).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stderr": "",
      "stdout": "README.md:3 value score.map3 of=count: updated
    README.md:4 value score.map3 of=max digits=2: updated
    README.md:4 value score[fold=1,level=h1].params.fold: updated
    README.md:6 metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level": updated
    README.md:19 metrics 'score[fold=1]' --sort map3: updated
    README.md:31 file score[fold=1,level=h1].table: updated
    README.md:40 file score[fold=1,level=h1].log: updated
    README.md:49 figure score[fold=1,level=h1].plot "img/the plot.svg" --alt "A [plot]": updated
    8 blocks in 1 document, 8 updated
    ",
    }
  `);
  const text = workspace.read('README.md');
  expect(text).toMatchInlineSnapshot(`
    "# Results

    The best of <!-- mixdown: value score.map3 of=count -->4<!-- /mixdown --> is
    at <!-- mixdown: value score.map3 of=max digits=2 -->0.56<!-- /mixdown -->; fold <!-- mixdown: value score[fold=1,level=h1].params.fold -->1<!-- /mixdown -->.

    <!-- mixdown: metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level" -->

    **Scores, by level**

    | level | fold=1 | fold=2 |     mean ± sd |
    | :---- | -----: | -----: | ------------: |
    | h1    |  0.250 |  0.375 | 0.313 ± 0.088 |
    | h1+h2 |  0.438 |  0.563 | 0.500 ± 0.088 |

    <!-- /mixdown -->

    - in a list

      <!-- mixdown: metrics 'score[fold=1]' --sort map3 -->

      **score**

      | fold | level | clips |   map3 |
      | :--- | :---- | ----: | -----: |
      | 1    | h1+h2 |    10 | 0.4375 |
      | 1    | h1    |    10 | 0.2500 |

      <!-- /mixdown -->

    <!-- prettier-ignore-start -->
    <!-- mixdown: file score[fold=1,level=h1].table -->

    | score  |
    | ------ |
    | 0.25 |

    <!-- /mixdown -->
    <!-- prettier-ignore-end -->

    <!-- mixdown: file score[fold=1,level=h1].log -->

    \`\`\`\`text
    \`\`\`
    score *0.25*
    \`\`\`\`

    <!-- /mixdown -->

    <!-- mixdown: figure score[fold=1,level=h1].plot "img/the plot.svg" --alt "A [plot]" -->

    ![A \\[plot\\]](img/the%20plot.svg)

    <!-- /mixdown -->

    \`\`\`md
    <!-- mixdown: metrics of nothing -->
    <!-- /mixdown -->
    \`\`\`
    "
  `);
  expect(workspace.read('img/the plot.svg')).toBe('<svg>0.25</svg>\n');
  expect(await format(text, {parser: 'markdown', printWidth: 120})).toBe(text);

  expect(await workspace.run('render')).toEqual({
    code: 0,
    stdout: '8 blocks in 1 document, all as the results say\n',
    stderr: '',
  });
  expect(workspace.read('README.md')).toBe(text);
  expect(await workspace.run('render', '--check', '-C', 'img', '-f', '../pipeline.yaml')).toMatchObject({code: 0});
  expect(readdirSync(workspace.root).filter((name) => name.includes('mixdown-'))).toEqual([]);
});

test('the words around stay as they are edited; a number that was edited is found, and mended', async () => {
  const text = await rendered();
  workspace.edit('README.md', '# Results', '# What came out\n\nMuch.');
  expect(await workspace.run('render', '--check')).toMatchObject({code: 0, stderr: ''});
  const edited = workspace.read('README.md');
  workspace.edit('README.md', '0.250 |', '0.950 |');
  workspace.edit('README.md', '-->0.56<', '-->0.90<');
  workspace.write('img/the plot.svg', '<svg>better</svg>');
  const before = [workspace.read('README.md'), workspace.hashes('img')];
  const check = await workspace.run('render', '--check');
  expect({...check, stderr: `\n${check.stderr}`}).toMatchInlineSnapshot(`
    {
      "code": 4,
      "stderr": "
    README.md:6:54: error: \`value score.map3 of=max digits=2\` shows 0.90; the results say 0.56 [document-differs]
      hint: mixdown render

    README.md:14:1: error: \`metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level"\` is not what the results say [document-differs]
      14 - | h1    |  0.950 |  0.375 | 0.313 ± 0.088 |
      14 + | h1    |  0.250 |  0.375 | 0.313 ± 0.088 |
      hint: mixdown render

    README.md:51:1: error: img/the plot.svg is not score[fold=1,level=h1].plot of the results [document-differs]
      hint: mixdown render

    3 problems
    ",
      "stdout": "",
    }
  `);
  expect([workspace.read('README.md'), workspace.hashes('img')]).toEqual(before);
  expect((await workspace.run('render')).stdout).toMatchInlineSnapshot(`
    "README.md:6 value score.map3 of=max digits=2: updated
    README.md:8 metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level": updated
    README.md:51 figure score[fold=1,level=h1].plot "img/the plot.svg" --alt "A [plot]": updated
    8 blocks in 1 document, 3 updated
    "
  `);
  expect(workspace.read('README.md')).toBe(edited);
  expect(edited.endsWith(text.slice(text.indexOf('The best')))).toBe(true);
  expect(workspace.read('img/the plot.svg')).toBe('<svg>0.25</svg>\n');
});

test('stale results are refused, with the reason and what to do; nothing is written', async () => {
  const never = await workspace.run('render');
  expect(never).toMatchObject({code: 4, stdout: ''});
  expect(never.stderr).toContain(
    'README.md:3:13: error: score[fold=1,level=h1] is stale: never built; and 3 more nodes',
  );
  expect(workspace.read('README.md')).toBe(source);
  const text = await rendered();
  const stale = await workspace.run('render', '--check', '--set', 'bias=1');
  expect(stale.code).toBe(4);
  expect(stale.stderr).toContain('score[fold=1,level=h1] is stale: param bias; and 3 more nodes that documents show');
  expect(stale.stderr).toContain('hint: bring up to date what documents show: mixdown run score\n');
  await workspace.run('run', '--quiet', '--set', 'bias=0.125');
  expect((await workspace.run('render', '--set', 'bias=0.125')).stdout).toContain('6 updated\n');
  expect(workspace.read('README.md')).not.toBe(text);
  await workspace.run('render');
  expect(workspace.read('README.md')).toBe(text);
});

test('mistakes are told with their places, all at once', async () => {
  await workspace.run('run', '--quiet');
  const lines = [
    `a <!-- mixdown: value ${first}.map --><!-- /mixdown -->`,
    `a <!-- mixdown: value ${first}.params.folds --><!-- /mixdown -->`,
    'a <!-- mixdown: value score.map3 --><!-- /mixdown -->',
    `a <!-- mixdown: figure ${first}.plot ../plot.svg --><!-- /mixdown -->`,
    `a <!-- mixdown: figure ${first}.plot README.md --><!-- /mixdown -->`,
    `a <!-- mixdown: figure ${first}.plot a.svg --><!-- /mixdown --> <!-- mixdown: figure 'score[fold=2,level=h1].plot' a.svg --><!-- /mixdown -->`,
    '<!-- mixdown: metrics score --metric mep3 -->\n<!-- /mixdown -->',
    `<!-- mixdown: file ${first}.tabel -->\n<!-- /mixdown -->`,
    `<!-- mixdown: file ${first}.folder -->\n<!-- /mixdown -->`,
    `<!-- mixdown: file ${first}.blob -->\n<!-- /mixdown -->`,
    '<!-- mixdown: file score.table -->\n<!-- /mixdown -->',
  ];
  workspace.write('README.md', lines.join('\n'));
  const {code, stderr} = await workspace.run('render');
  const heads = stderr.split('\n').filter((line) => /error:|hint:|problems/.test(line));
  expect([code, `\n${heads.join('\n')}\n`]).toMatchInlineSnapshot(`
    [
      2,
      "
    README.md:1:3: error: score[fold=1,level=h1] reports no \`map\` [unknown-metric]
      hint: did you mean \`map3\`?
    README.md:2:3: error: score[fold=1,level=h1] has no param \`folds\` [unknown-metric]
      hint: did you mean \`params.fold\`?
    README.md:3:3: error: \`score\` is 4 nodes with different values, such as 0.2500 of score[fold=1,level=h1] and 0.4375 of score[fold=1,level=h1+h2] [usage]
      hint: name one variant, or say which: of=mean, sd, min, max or count
    README.md:4:3: error: \`../plot.svg\` is outside the project folder [document-invalid]
      hint: name a path relative to the document, such as plot.svg
    README.md:5:3: error: \`README.md\` is to hold plot.svg, which is another kind of file [document-invalid]
      hint: let it end with .svg
    README.md:6:79: error: score[fold=1,level=h1].plot goes to the same file [document-invalid]
    README.md:7:1: error: no result here reports \`mep3\` [unknown-metric]
      hint: did you mean \`map3\`?
    README.md:9:1: error: there is no output score[fold=1,level=h1].tabel [unknown-output]
      hint: did you mean \`table\`?
    README.md:11:1: error: score[fold=1,level=h1].folder is a folder; file takes a file [kind-mismatch]
      hint: name an output that is one file
    README.md:13:1: error: score[fold=1,level=h1].blob is not UTF-8 text [kind-mismatch]
      hint: of an image, write \`figure\`
    README.md:15:1: error: \`score\` names 4 nodes; file takes one [usage]
      hint: such as score[fold=1,level=h1], score[fold=1,level=h1+h2], score[fold=2,level=h1]
    11 problems
    ",
    ]
  `);
  expect(workspace.read('README.md')).toBe(lines.join('\n'));

  workspace.write('README.md', '<!-- mixdown: metrics scores -->\n<!-- /mixdown -->\n\n<!-- mixdown: file -->\n');
  expect((await workspace.run('render')).stderr).toContain('README.md:4:1: error: the block is not closed');
  workspace.write('README.md', '<!-- mixdown: metrics scores -->\n<!-- /mixdown -->\n');
  expect(await workspace.run('render')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/did you mean `score`\?/),
  });
  workspace.write('README.md', `<!-- mixdown: value ${first}.map3 --digits 2 --><!-- /mixdown -->`);
  const remarks = await workspace.run('render');
  expect([remarks.code, remarks.stderr.match(/warning: .*/g)]).toEqual([
    0,
    [
      'warning: a comment that begins a line ends the paragraph, and the rest of the line is no Markdown [document-invalid]',
      'warning: GitHub shows a comment within a line as text when `--` stands in it [document-invalid]',
    ],
  ]);
});

test.each([
  ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n')],
  ['no line break at the end', (text: string) => text.trimEnd()],
  ['a byte order mark', (text: string) => `\uFEFF${text}`],
])('%s are kept', async (_, change) => {
  const text = await rendered();
  workspace.write('README.md', change(source));
  await workspace.run('render');
  expect(workspace.read('README.md')).toBe(change(text));
  expect(await workspace.run('render', '--check')).toMatchObject({code: 0});
});

test('files that cannot be rendered are told', async () => {
  await rendered();
  const told = async (...args: string[]): Promise<readonly [number | null, string]> => {
    const {code, stderr} = await workspace.run('render', ...args);
    return [code, stderr.split('\n')[0]!];
  };
  workspace.write('README.md', source);
  chmodSync(workspace.path('README.md'), 0o444);
  expect(await told()).toEqual([1, 'error: README.md cannot be written: it is read-only [document-unwritable]']);
  expect(workspace.read('README.md')).toBe(source);
  workspace.write('latin.md', Buffer.from([0xe9, 0x0a]));
  expect(await told('latin.md')).toEqual([2, 'error: latin.md is not UTF-8 text [document-invalid]']);
  expect(await told('no.md')).toEqual([2, expect.stringMatching(/^error: no\.md cannot be read: ENOENT/)]);
  const other = new Workspace();
  other.write('other.md', source);
  symlinkSync(other.path('other.md'), workspace.path('link.md'));
  const outside = 'is outside the project folder [document-invalid]';
  expect(await told('link.md')).toEqual([2, `error: link.md ${outside}`]);
  expect(await told(other.path('other.md'))).toEqual([2, `error: ${other.path('other.md')} ${outside}`]);
  expect(other.read('other.md')).toBe(source);
  other.dispose();
});

test('what results are made from is not written', async () => {
  await rendered();
  const block = `a <!-- mixdown: figure ${first}.plot PATH --><!-- /mixdown -->`;
  workspace.edit('pipeline.yaml', 'sources: {notes: notes}', "sources: {notes: {path: notes, exclude: '*.md'}}");
  await workspace.run('run', '--quiet');
  workspace.write('notes/a.md', block.replace('PATH', 'a.svg'));
  const figure = await workspace.run('render', 'notes/a.md');
  expect([figure.code, figure.stderr]).toMatchObject([
    2,
    expect.stringContaining('`a.svg` is in the source `notes`: writing it would make results stale'),
  ]);
  workspace.write('notes/a.md', block.replace('PATH', '../a.svg'));
  expect(await workspace.run('render', 'notes/a.md')).toMatchObject({code: 0});
  workspace.edit('pipeline.yaml', "{path: notes, exclude: '*.md'}", 'notes');
  const document = await workspace.run('render', 'notes/a.md');
  expect([document.code, document.stderr]).toMatchObject([
    2,
    expect.stringContaining('notes/a.md is in the source `notes`: rendering it would make results stale'),
  ]);
});

test('several documents, by patterns or by name', async () => {
  await workspace.run('run', '--quiet');
  workspace.edit('pipeline.yaml', 'documents: README.md', "documents: [README.md, 'docs/**/*.md']");
  const {code, stderr} = await workspace.run('render');
  expect([code, stderr.split('\n')[0]]).toEqual([
    0,
    'pipeline.yaml:10:24: warning: `docs/**/*.md` matches no document [document-missing]',
  ]);
  workspace.write('docs/a/b.md', `a <!-- mixdown: value ${first}.clips --><!-- /mixdown -->`);
  workspace.write('docs/node_modules/x/c.md', '<!-- mixdown: nonsense -->');
  workspace.write('docs/d.md', 'nothing');
  expect(await workspace.run('render')).toEqual({
    code: 0,
    stdout: `docs/a/b.md:1 value ${first}.clips: updated\n9 blocks in 3 documents, 1 updated\n`,
    stderr: '',
  });
  workspace.write('other.md', `a <!-- mixdown: value ${first}.clips --><!-- /mixdown -->`);
  symlinkSync('other.md', workspace.path('link.md'));
  expect((await workspace.run('render', 'link.md', 'other.md')).stdout).toContain('1 block in 1 document, 1 updated');
  expect(workspace.read('link.md')).toContain('-->10<');
  workspace.edit('pipeline.yaml', "[README.md, 'docs/**/*.md']", 'READ.md');
  expect(await workspace.run('render')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^pipeline\.yaml:10:12: error: there is no document `READ\.md`/),
  });
  workspace.edit('pipeline.yaml', 'documents: READ.md\n', '');
  expect(await workspace.run('render')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there are no documents to render'),
  });
});

test('killed while it writes, it leaves the old text or the new', async () => {
  const text = await rendered();
  for (let round = 0; round < 3; round++) {
    workspace.write('README.md', source);
    const child = workspace.start(['render']);
    const watcher = watch(workspace.root, (_, name) => {
      if (name?.startsWith('.README.md.')) child.kill('SIGKILL');
    });
    await ended(child);
    watcher.close();
    expect([source, text]).toContain(workspace.read('README.md'));
  }
  workspace.write('README.md', source);
  workspace.write('.README.md.mixdown-999999999', 'half');
  expect(await workspace.run('render')).toMatchObject({code: 0});
  expect(workspace.read('README.md')).toBe(text);
  expect(readdirSync(workspace.root).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('--json is as its schema says', async () => {
  await rendered();
  workspace.edit('README.md', '0.250 |', '0.950 |');
  for (const args of [['render', '--check'], ['render'], ['render']]) {
    const shown = await workspace.json<{documents: {blocks: {status: string}[]}[]}>(...args);
    expect(errorsOf('render', shown)).toEqual([]);
    expect(shown.documents[0]?.blocks).toHaveLength(8);
  }
  expect(errorsOf('render', {documents: [{path: 'a', blocks: [{line: 0}]}]})).not.toEqual([]);
});

describe('with a lock', () => {
  test('its values are shown, whatever was run since, and on a machine without results', async () => {
    const text = await rendered();
    await workspace.run('lock');
    await workspace.run('run', '--quiet', '--set', 'bias=0.5');
    expect(await workspace.run('render', '--check')).toMatchObject({code: 0, stderr: ''});
    workspace.write('README.md', source);
    await workspace.run('render');
    expect(workspace.read('README.md')).toBe(text);

    workspace.remove('cache');
    workspace.remove('runs');
    workspace.remove('notes');
    expect(await workspace.run('render', '--check')).toMatchObject({code: 0, stderr: ''});
    expect(await workspace.run('render')).toMatchObject({code: 0});
    workspace.edit('README.md', '0.250 |', '0.950 |');
    workspace.edit('README.md', '| 0.25 |', '| 0.35 |');
    workspace.edit('README.md', 'score *0.25*', 'score *0.35*');
    workspace.write('img/the plot.svg', 'other');
    const {code, stderr} = await workspace.run('render', '--check');
    expect([code, `\n${stderr}`]).toMatchInlineSnapshot(`
      [
        4,
        "
      README.md:12:1: error: \`metrics score --metric map3 --pivot fold --mean --digits 3 --title "Scores, by level"\` is not what the lock says [document-differs]
        12 - | h1    |  0.950 |  0.375 | 0.313 ± 0.088 |
        12 + | h1    |  0.250 |  0.375 | 0.313 ± 0.088 |
        hint: mixdown render

      README.md:31:1: error: \`file score[fold=1,level=h1].table\` is not score[fold=1,level=h1].table of the lock [document-differs]
        hint: the bytes of score[fold=1,level=h1].table are not in the cache: mixdown run, then mixdown render

      README.md:40:1: error: \`file score[fold=1,level=h1].log\` is not score[fold=1,level=h1].log of the lock [document-differs]
        hint: the bytes of score[fold=1,level=h1].log are not in the cache: mixdown run, then mixdown render

      README.md:49:1: error: img/the plot.svg is not score[fold=1,level=h1].plot of the lock [document-differs]
        hint: the bytes of score[fold=1,level=h1].plot are not in the cache: mixdown run, then mixdown render

      4 problems
      ",
      ]
    `);
    expect(await workspace.run('render')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`the bytes of ${first}.table are not in the cache`),
    });
  });

  test('what it does not pin is not shown, and other values disagree', async () => {
    await rendered();
    await workspace.run('lock');
    workspace.edit('mixdown.lock', '"map3": 0.25\n', '"map3": 0.75\n');
    const {code, stderr} = await workspace.run('render', '--check');
    expect([code, stderr]).toMatchObject([4, expect.stringContaining('shows 0.56; the lock says 0.75')]);
    expect((await workspace.run('render', '--check', '--set', 'bias=0')).code).toBe(0);
    expect((await workspace.run('render', '--check', '--set', 'bias=0', '--lock', 'mixdown.lock')).code).toBe(4);
    workspace.edit('pipeline.yaml', 'fold: [1, 2]', 'fold: [1, 2, 3]');
    const unpinned = await workspace.run('render');
    expect([unpinned.code, unpinned.stderr]).toMatchObject([
      4,
      expect.stringContaining('score[fold=3,level=h1] is not in the lock; and 1 more node that documents show'),
    ]);
  });

  test('is not contradicted by the lock of a profile, unless that is the only one', async () => {
    workspace.write('pipeline.yaml', `${pipeline}profiles: {more: {vars: {bias: 1}}}\n`);
    await rendered();
    await workspace.run('run', '--quiet', '--profile', 'more');
    expect(await workspace.run('lock', '--profile', 'more')).toMatchObject({code: 0});
    const alone = await workspace.run('check', '--profile', 'more');
    expect(alone).toMatchObject({code: 4, stderr: expect.stringContaining('hint: mixdown render --profile more\n')});
    await workspace.run('run', '--quiet');
    expect(await workspace.run('lock')).toMatchObject({code: 0});
    expect(await workspace.run('check')).toMatchObject({code: 0, stderr: ''});
    expect(await workspace.run('check', '--profile', 'more')).toMatchObject({code: 0, stderr: ''});
    expect(await workspace.run('check', '--lock', 'mixdown.more.lock', '--profile', 'more')).toMatchObject({code: 0});
    const asked = await workspace.run('render', '--check', '--profile', 'more');
    expect(asked).toMatchObject({code: 4, stderr: expect.stringContaining('hint: mixdown render --profile more\n')});
    workspace.write('pipeline.yaml', `${pipeline}profiles: {more: {vars: {bias: 2}}}\n`);
    const stale = await workspace.run('check', '--profile', 'more');
    expect(stale).toMatchObject({code: 4, stdout: expect.stringContaining('mixdown run --profile more\n')});
  });

  test('check tells which blocks disagree, also in a fresh clone', async () => {
    await rendered();
    await workspace.run('lock');
    const fresh = {code: 0, stdout: 'mixdown.lock is fresh: 4 nodes\n', stderr: ''};
    expect(await workspace.run('check')).toEqual(fresh);
    workspace.remove('cache');
    workspace.remove('runs');
    expect(await workspace.run('check')).toEqual(fresh);
    workspace.edit('README.md', '0.250 |', '0.950 |');
    const told = await workspace.run('check');
    expect(told).toMatchObject({code: 4, stdout: fresh.stdout});
    expect(told.stderr).toContain('README.md:12:1: error: `metrics score');
    expect(told.stderr).toContain('12 - | h1    |  0.950 |');
    const json = await workspace.json<{fresh: boolean; documents: {code: string}[]}>('check');
    expect(errorsOf('check', json)).toEqual([]);
    expect([json.fresh, json.documents.map(({code}) => code)]).toEqual([false, ['document-differs']]);
    expect(await workspace.run('check', 'score')).toEqual(fresh);
    expect((await workspace.run('render', '--check')).code).toBe(4);
    expect(readdirSync(workspace.root)).not.toContain('cache');
    workspace.write('README.md', '<!-- mixdown: metrics score -->\n');
    expect(await workspace.run('check')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('README.md:1:1: error: the block is not closed'),
    });
  });
});
