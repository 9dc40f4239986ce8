import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {describe, expect, test} from 'vitest';
import {readCacheJson, writeCacheJson} from '../../../src/config/cache-file.ts';
import {project, type Project} from './support.ts';

const stageText = `import {defineStage, StageError} from 'mixdown/stage';
import {helper, type Shape} from './lib/helper.ts';

/** What it does. */
export default defineStage({
  name: 'work',
  summary: 'For tests.',
  params: {},
  inputs: {},
  outputs: {out: {kind: 'file', name: 'out.txt', about: 'x'}},
  run({outputs}) {
    const shape: Shape = helper(1); // the answer
    if (shape.n < 0) throw new StageError('negative');
    void outputs;
  },
});
`;
const helperText = `export interface Shape {readonly n: number}

/* a helper */
export function helper(n: number): Shape {
  return {n: n + 1};
}
`;
const base = {
  'pipeline.yaml': 'version: 1\nnodes: {a: {stage: work}}\n',
  'stages/work.ts': stageText,
  'stages/lib/helper.ts': helperText,
};

async function manifestOf(at: Project) {
  const {stages} = await at.pipeline();
  const stage = stages['work'];
  if (!stage) throw new Error('no stage');
  return {code: stage.code, ...stage.manifest};
}

const indexes = (at: Project) =>
  readdirSync(join(at.cacheDir, 'stages', 'index')).filter((name) => name.endsWith('.json'));

describe('the code digest', () => {
  test('covers the import closure, without the author API', async () => {
    const {files, packages} = await manifestOf(project(base));
    expect(Object.keys(files)).toEqual(['stages/lib/helper.ts', 'stages/work.ts']);
    expect(packages).toEqual({});
  });

  test.each([
    ['a comment', 'stages/lib/helper.ts', helperText.replace('a helper', 'another helper')],
    ['formatting', 'stages/lib/helper.ts', helperText.replace('{n: n + 1};', '{\n\n    n:   n+1,\n  }')],
    [
      'a type',
      'stages/lib/helper.ts',
      helperText.replace('readonly n: number', 'readonly n: number; readonly m?: string'),
    ],
    [
      'a doc comment and a line comment',
      'stages/work.ts',
      stageText.replace('What it does.', 'Other.').replace(' // the answer', ''),
    ],
    ['a type import', 'stages/work.ts', stageText.replace(', type Shape', '').replace('shape: Shape', 'shape')],
  ])('does not change with %s', async (_, path, text) => {
    const at = project(base);
    const before = await manifestOf(at);
    at.write(path, text);
    expect(await manifestOf(at)).toEqual(before);
    expect((await manifestOf(project({...base, [path]: text}))).code).toBe(before.code);
  });

  test('changes with the code, and only for the file that changed', async () => {
    const at = project(base);
    const before = await manifestOf(at);
    at.write('stages/lib/helper.ts', helperText.replace('n + 1', 'n + 2'));
    const after = await manifestOf(at);
    expect(after.code).not.toBe(before.code);
    expect(after.files['stages/work.ts']).toBe(before.files['stages/work.ts']);
    expect(after.files['stages/lib/helper.ts']).not.toBe(before.files['stages/lib/helper.ts']);
  });

  test('is the same in another folder', async () => {
    expect(await manifestOf(project(base))).toEqual(await manifestOf(project(base)));
  });

  test('notices an edit that keeps size and times', async () => {
    const at = project(base);
    const before = await manifestOf(at);
    const path = join(at.root, 'stages/lib/helper.ts');
    const {atime, mtime} = statSync(path);
    at.write('stages/lib/helper.ts', helperText.replace('n + 1', 'n + 7'));
    utimesSync(path, atime, mtime);
    expect((await manifestOf(at)).code).not.toBe(before.code);
  });

  test('notices a file that now answers an import', async () => {
    const at = project({
      ...base,
      'stages/work.ts': stageText.replace('./lib/helper.ts', './lib/helper'),
      'stages/lib/helper.ts': '',
      'stages/lib/helper.js': helperText.replaceAll(/: (number|Shape)/g, '').replace(/export interface.*/, ''),
    });
    rmSync(join(at.root, 'stages/lib/helper.ts'));
    const before = await manifestOf(at);
    expect(Object.keys(before.files)).toContain('stages/lib/helper.js');
    at.write('stages/lib/helper.ts', helperText);
    expect(Object.keys((await manifestOf(at)).files)).toContain('stages/lib/helper.ts');
  });

  test('reads JSON by its value', async () => {
    const text = stageText
      .replace(
        `import {helper, type Shape} from './lib/helper.ts';`,
        `import {helper, type Shape} from './lib/helper.ts';\nimport table from './lib/table.json';`,
      )
      .replace('helper(1)', 'helper(table.a)');
    const at = project({...base, 'stages/work.ts': text, 'stages/lib/table.json': '{"a": 1, "b": 2}'});
    const before = await manifestOf(at);
    at.write('stages/lib/table.json', '{\n  "b": 2,\n  "a": 1\n}\n');
    expect(await manifestOf(at)).toEqual(before);
    at.write('stages/lib/table.json', '{"a": 1, "b": 3}');
    expect((await manifestOf(at)).code).not.toBe(before.code);
  });
});

describe('npm packages of a stage', () => {
  const packageFiles = (version: string, answer: number) => ({
    'node_modules/@scope/answer/package.json': JSON.stringify({
      name: '@scope/answer',
      version,
      exports: {'.': {import: './esm.mjs', require: './cjs.cjs'}, './sub': './sub.mjs'},
    }),
    'node_modules/@scope/answer/esm.mjs': `export const answer = ${answer};\n`,
    'node_modules/@scope/answer/cjs.cjs': `exports.answer = -1;\n`,
    'node_modules/@scope/answer/sub.mjs': `export const sub = 'sub';\n`,
  });
  const text = `import {answer} from '@scope/answer';
import {sub} from '@scope/answer/sub';
import {readFileSync} from 'node:fs';
import path from 'path';
import {defineStage} from 'mixdown/stage';
export const seen = [answer, sub, typeof readFileSync, path.sep];
export const optional = () => import('not-installed');
export default defineStage({
  name: 'work', summary: '', params: {}, inputs: {}, outputs: {out: {kind: 'file', name: 'o', about: 'x'}}, run() {},
});
`;
  const files = {...base, 'stages/work.ts': text};

  test('count by name and version', async () => {
    const at = project({...files, ...packageFiles('1.2.3', 42)});
    const before = await manifestOf(at);
    expect(before.packages).toEqual({'@scope/answer': '1.2.3', 'not-installed': 'missing'});
    at.write(
      'node_modules/@scope/answer/package.json',
      packageFiles('1.2.4', 42)['node_modules/@scope/answer/package.json'],
    );
    expect((await manifestOf(at)).packages).toMatchObject({'@scope/answer': '1.2.4'});
    at.write('node_modules/not-installed/package.json', '{"version": "0.1.0", "main": "i.js"}');
    at.write('node_modules/not-installed/i.js', '');
    expect((await manifestOf(at)).packages).toEqual({'@scope/answer': '1.2.4', 'not-installed': '0.1.0'});
  });

  test('are found from the compiled module, wherever the cache lies', async () => {
    const at = project({...files, ...packageFiles('1.2.3', 42)});
    const elsewhere = project({});
    const {loadPipeline} = await import('../../../src/config/load-pipeline.ts');
    const options = {
      root: at.root,
      file: join(at.root, 'pipeline.yaml'),
      profiles: [],
      overrides: [],
      packageRoot: at.root,
    };
    const loaded = await loadPipeline({...options, cacheDir: elsewhere.cacheDir});
    const path = loaded.ok ? await loaded.value.modules.compile('work') : undefined;
    expect(path?.ok && path.value.startsWith(elsewhere.cacheDir)).toBe(true);
    const module = (await import(pathToFileURL(path?.ok ? path.value : '').href)) as {
      seen: unknown;
      optional: () => Promise<unknown>;
    };
    expect(module.seen).toEqual([42, 'sub', 'function', '/']);
    await expect(module.optional()).rejects.toThrow(/not-installed/);
  });

  test('linked from the project count as code', async () => {
    const at = project({
      ...base,
      'stages/work.ts': text.replace(`import('not-installed')`, '0'),
      'linked/package.json':
        '{"name": "@scope/answer", "type": "module", "exports": {".": "./index.ts", "./sub": "./sub.ts"}}',
      'linked/index.ts': 'export const answer: number = 1;\n',
      'linked/sub.ts': 'export const sub = 2;\n',
    });
    const {symlinkSync} = await import('node:fs');
    mkdirSync(join(at.root, 'node_modules/@scope'), {recursive: true});
    symlinkSync('../../linked', join(at.root, 'node_modules/@scope/answer'));
    const {files: found, packages} = await manifestOf(at);
    expect(Object.keys(found)).toEqual(['linked/index.ts', 'linked/sub.ts', 'stages/work.ts']);
    expect(packages).toEqual({});
  });
});

describe('compiled modules', () => {
  const compile = async (at: Project) => {
    const loaded = await at.load();
    if (!loaded.ok) throw new Error('not loaded');
    return loaded.value.modules.compile('work');
  };

  test('run, and their errors point into the stage', async () => {
    const at = project({
      ...base,
      'stages/work.ts': stageText.replace(
        'run({outputs}) {',
        `run({outputs}) {\n    throw new StageError('here', 'a hint');`,
      ),
    });
    const result = await compile(at);
    const text = readFileSync(result.ok ? result.value : '', 'utf8');
    expect(text).toContain('//# sourceMappingURL=data:application/json;base64,');
    const module = (await import(pathToFileURL(result.ok ? result.value : '').href)) as {
      default: {run(context: object): void};
    };
    let thrown: unknown;
    try {
      module.default.run({});
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({name: 'StageError', message: 'here', hint: 'a hint'});
  });

  test('are made again when they are damaged or gone', async () => {
    const at = project(base);
    const first = await compile(at);
    const path = first.ok ? first.value : '';
    const text = readFileSync(path, 'utf8');
    truncateSync(path, 10);
    expect(await compile(at)).toEqual(first);
    expect(readFileSync(path, 'utf8')).toBe(text);
    rmSync(path);
    expect(await compile(at)).toEqual(first);
    expect(existsSync(path)).toBe(true);
  });

  test('are refused when the code changed after the pipeline was loaded', async () => {
    const at = project(base);
    const loaded = await at.load();
    at.write('stages/lib/helper.ts', helperText.replace('n + 1', 'n + 3'));
    const result = loaded.ok ? await loaded.value.modules.compile('work') : undefined;
    expect(result).toMatchObject({ok: false, error: [{code: 'input-changed', hint: 'run again'}]});
  });

  test('follow a comment edit, so that line numbers stay right', async () => {
    const at = project(base);
    const first = await compile(at);
    at.write('stages/work.ts', `// one more line\n${stageText}`);
    const second = await compile(at);
    expect(second.ok).toBe(true);
    expect(second).not.toEqual(first);
  });
});

describe('what is remembered between runs', () => {
  const old = (at: Project) => {
    const longAgo = new Date('2020-01-01T00:00:00Z');
    for (const path of ['stages/work.ts', 'stages/lib/helper.ts']) utimesSync(join(at.root, path), longAgo, longAgo);
  };

  test('a damaged or unknown record is ignored', async () => {
    const at = project(base);
    old(at);
    const before = await at.pipeline();
    const folders = [
      join(at.cacheDir, 'stages', 'index'),
      join(at.cacheDir, 'stages', 'declarations'),
      join(at.cacheDir, 'config'),
    ];
    const half = (text: string) => text.slice(0, text.length / 2);
    const flipped = (text: string) => text.replace('work', 'wrok').replace('checkedNs', 'checkedXs').replace('1', '2');
    for (const change of [half, flipped]) {
      for (const folder of folders) {
        for (const name of readdirSync(folder))
          writeFileSync(join(folder, name), change(readFileSync(join(folder, name), 'utf8')));
      }
      expect(await at.pipeline()).toEqual(before);
    }
    for (const text of ['', '{', 'null', '[]', '{"format":"other"}']) {
      for (const folder of folders) for (const name of readdirSync(folder)) writeFileSync(join(folder, name), text);
      expect(await at.pipeline()).toEqual(before);
    }
  });

  test('an unchanged stage is not read again: its record stays as it is', async () => {
    const at = project(base);
    await at.pipeline();
    const [name = ''] = indexes(at);
    const path = join(at.cacheDir, 'stages', 'index', name);
    const record = readCacheJson(path) as {checkedNs: string};
    const later = {...record, checkedNs: String(BigInt(record.checkedNs) + 10_000_000_000n)};
    writeCacheJson(path, later);
    await at.pipeline();
    expect(readCacheJson(path)).toEqual(later);
  });

  test('a file that changed just before it was read is read again', async () => {
    const at = project(base);
    await at.pipeline();
    const [name = ''] = indexes(at);
    const path = join(at.cacheDir, 'stages', 'index', name);
    const record = readCacheJson(path) as {checkedNs: string; files: {hash: string}[]};
    const lying = {...record, files: record.files.map((file) => ({...file, hash: 'f'.repeat(64)}))};
    writeCacheJson(path, lying);
    await at.pipeline();
    expect((readCacheJson(path) as typeof record).files).toEqual(record.files);
  });

  test('the same pipeline comes from the cache as from the text', async () => {
    const at = project(base);
    const first = await at.pipeline();
    expect(readdirSync(join(at.cacheDir, 'config'))).toHaveLength(2);
    expect(await at.pipeline()).toEqual(first);
    expect(readdirSync(join(at.cacheDir, 'config'))).toHaveLength(2);
  });

  test('a cache that cannot be written is no obstacle', async () => {
    const at = project({...base, cache: 'a file where the folder should be'});
    const loaded = await at.load();
    expect(loaded.ok).toBe(true);
    const compiled = loaded.ok ? await loaded.value.modules.compile('work') : undefined;
    expect(compiled?.ok).toBe(true);
    rmSync(join(compiled?.ok ? compiled.value : '', '..'), {recursive: true});
  });

  test('mistakes are not remembered as success', async () => {
    const at = project({...base, 'pipeline.yaml': 'version: 1\nnodes: {a: {stage: work, params: {x: 1}}}\n'});
    const first = await at.mistakes();
    expect(first).toContain('has no param `x`');
    expect(await at.mistakes()).toBe(first);
    at.write('stages/work.ts', stageText.replace('params: {}', `params: {x: {type: 'string', about: 'x'}}`));
    expect(await at.mistakes()).toContain('`x` must be a text, not `1`');
    expect(await at.mistakes()).toContain('`x` must be a text, not `1`');
    at.write('stages/work.ts', stageText.replace('params: {}', `params: {x: {type: 'integer', about: 'x'}}`));
    expect((await at.pipeline()).nodes[0]?.params).toEqual({x: 1});
  });
});
