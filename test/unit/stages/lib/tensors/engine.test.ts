import {describe, expect, test} from 'vitest';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import {importOrExplain, importProblem} from '../../../../../stages/lib/tensors/import-or-explain.ts';
import {wasmFolder} from '../../../../../stages/lib/tensors/wasm-files.ts';

test('a name that is none is refused before anything loads', async () => {
  await expect(loadEngine({engine: 'wsam', threads: 1})).rejects.toMatchObject({
    message: 'there is no tensor engine `wsam`',
    hint: 'did you mean `wasm`?',
  });
});

test('an engine that cannot be had says why, and another can be had after it', async () => {
  await expect(loadEngine({engine: 'tensorflow-gpu', threads: 1})).rejects.toMatchObject({
    name: 'StageError',
    message: expect.stringMatching(/^TensorFlow (cannot be had: .|sees no GPU)/),
    hint: expect.stringContaining('@tensorflow/tfjs-node-gpu'),
  });
  // Two at once: one starts it, both get it.
  const [first, second] = await Promise.all([1, 2].map((threads) => loadEngine({engine: 'wasm', threads})));
  expect(first).toBe(second);
  expect(first?.name).toBe('wasm');
  expect(first?.tf.getBackend()).toBe('wasm');
  await expect(loadEngine({engine: 'cpu', threads: 1})).rejects.toThrow(
    'this process computes with the tensor engine `wasm` and cannot change to `cpu`',
  );
});

test('the folder of the wasm files: says what is missing when they cannot be found', () => {
  expect(() => wasmFolder(['/'])).toThrow(/tfjs-backend-wasm-simd.wasm was not found above/);
});

describe('a package that cannot be imported', () => {
  test('is not installed, or something in it fails: the first line says what', async () => {
    const name: string = 'no-such-package';
    const missing = await import(name).catch((error: unknown) => error);
    expect(importProblem('no-such-package', missing)).toBe('package no-such-package is not installed');
    expect(importProblem('other', missing)).toMatch(
      /^package other cannot be loaded: Cannot find package 'no-such-package'/,
    );
    expect(importProblem('other', new Error('no libtensorflow\nat x'))).toBe(
      'package other cannot be loaded: no libtensorflow',
    );
  });

  test('is explained', async () => {
    const load = () => Promise.reject(new Error('broken'));
    await expect(importOrExplain('a', load, 'mend it')).rejects.toMatchObject({
      message: 'package a cannot be loaded: broken',
      hint: 'mend it',
    });
  });
});
