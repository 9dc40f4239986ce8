import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {build} from 'esbuild';
import {afterAll, describe, expect, test} from 'vitest';
import {blasProblem, loadOnnxRuntime, value} from '../../../../../stages/lib/onnx-blas/onnxruntime.ts';
import packageJson from '../../../../../package.json' with {type: 'json'};

/** What lies below onnxruntime's public interface may change with any version: this guards the one that is pinned. */
describe("onnxruntime's synchronous binding", () => {
  test('is there in the version that package.json pins', async () => {
    const {env} = await import('onnxruntime-node');
    expect(packageJson.optionalDependencies['onnxruntime-node']).toBe(env.versions.node);
    expect(await blasProblem()).toBeUndefined();
  });

  test('computes at once, in place, within a larger memory', async () => {
    const open = await loadOnnxRuntime();
    if (typeof open === 'string') throw new Error(open);
    const session = open({
      node: {op: 'Gemm', inputs: ['a', 'b'], outputs: ['y'], attributes: {transB: {int: 1}}},
      inputs: [
        {name: 'a', shape: ['m', 'k']},
        {name: 'b', shape: ['n', 'k']},
      ],
      y: ['m', 'n'],
      threads: 1,
    });
    const memory = new Float32Array(20).fill(9);
    memory.set([1, 2, 3, 4], 3);
    memory.set([10, 1, 100, 1], 8);
    const part = (at: number, count: number): Float32Array => new Float32Array(memory.buffer, 4 * at, count);
    session.run({a: value(part(3, 4), 2, 2), b: value(part(8, 4), 2, 2)}, {y: value(part(14, 4), 2, 2)}, {});
    expect([...memory.slice(13, 19)]).toEqual([9, 12, 102, 34, 304, 9]);
    expect(() =>
      session.run({a: value(part(0, 6), 2, 3), b: value(part(8, 4), 2, 2)}, {y: value(part(14, 4), 2, 2)}, {}),
    ).toThrow(/dimension|shape|size/i);
    session.dispose();
  });
});

describe('an onnxruntime that cannot be used is named, with the reason', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, {recursive: true});
  });

  /** What `blasProblem` says in a project with these packages. */
  async function problemWith(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'blas-'));
    folders.push(folder);
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, 'node_modules', 'onnxruntime-node', path);
      mkdirSync(dirname(file), {recursive: true});
      writeFileSync(file, content);
    }
    await build({
      stdin: {
        contents: `import {blasProblem} from './stages/lib/onnx-blas/onnxruntime.ts'; console.log(await blasProblem());`,
        resolveDir: process.cwd(),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['mixdown-source'],
      external: ['onnxruntime-node', 'onnxruntime-node/*'],
      outfile: join(folder, 'main.mjs'),
      logLevel: 'error',
    });
    const {stdout} = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')]);
    return stdout.trim();
  }

  const index = `exports.env = {versions: {node: '9.9.9'}};`;

  test('not installed', async () => {
    expect(await problemWith({})).toMatch(/^onnxruntime-node cannot be used: Cannot find package 'onnxruntime-node'/);
  });

  test('without binaries for this platform', async () => {
    const files = {
      'package.json': '{"main": "index.js"}',
      'index.js': `${index} require('./bin/onnxruntime_binding.node');`,
    };
    expect(await problemWith(files)).toMatch(/^onnxruntime-node cannot be used: Cannot find module '.*binding\.node'/);
  });

  test('without the inner binding', async () => {
    const files = {'package.json': '{"main": "index.js"}', 'index.js': index};
    expect(await problemWith(files)).toMatch(/^onnxruntime-node 9\.9\.9 cannot be used: Cannot find module '.*binding/);
  });

  test('with an inner binding that computes later', async () => {
    const files = {
      'package.json': '{"main": "index.js"}',
      'index.js': index,
      'dist/binding.js': `
        exports.initOrt = () => {};
        exports.binding = {InferenceSession: class { loadModel() {} async run() {} dispose() {} }};`,
    };
    expect(await problemWith(files)).toBe(
      'the inner binding of onnxruntime-node 9.9.9 does not multiply matrices at once and in place',
    );
  });
});
