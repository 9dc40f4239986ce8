import nodeUtil from 'node:util';
import {StageError} from 'mixdown/stage';
import {importProblem} from './import-or-explain.ts';
import type {Tf} from './tf.ts';

/**
 * TensorFlow itself, by whichever of its two packages is installed. They register themselves with the library and take it
 * over. The package for GPUs computes on the CPU where no GPU is to be seen. Of this path only the shim and the messages
 * are tested: no machine of the tests can download libtensorflow.
 */
export async function startTensorFlow(tf: Tf, name: 'tensorflow-gpu' | 'tensorflow-cpu'): Promise<void> {
  restoreUtilities(nodeUtil);
  await importPackage();
  if (!(await tf.setBackend('tensorflow'))) throw new StageError('the TensorFlow engine did not start');
  const {isUsingGpuDevice} = tf.backend() as unknown as {readonly isUsingGpuDevice: boolean};
  if (name === 'tensorflow-gpu' && !isUsingGpuDevice) {
    throw new StageError(
      'TensorFlow sees no GPU',
      'it needs @tensorflow/tfjs-node-gpu, the CUDA libraries that its version asks for, and a device of NVIDIA',
    );
  }
  if (name === 'tensorflow-cpu' && isUsingGpuDevice) {
    throw new StageError('TensorFlow took a GPU that it was not asked to use', 'hide it with CUDA_VISIBLE_DEVICES=-1');
  }
}

/** Functions of node:util that the package still calls and that Node 23 removed. */
export function restoreUtilities(util: object): void {
  const utilities = util as Record<string, unknown>;
  utilities['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  utilities['isArray'] ??= Array.isArray;
}

async function importPackage(): Promise<void> {
  const packages = [
    ['@tensorflow/tfjs-node-gpu', () => import('@tensorflow/tfjs-node-gpu')],
    ['@tensorflow/tfjs-node', () => import('@tensorflow/tfjs-node')],
  ] as const;
  const problems: string[] = [];
  for (const [name, load] of packages) {
    try {
      await load();
      return;
    } catch (error) {
      problems.push(importProblem(name, error));
    }
  }
  throw new StageError(
    `TensorFlow cannot be had: ${problems.join('; ')}`,
    'npm install @tensorflow/tfjs-node-gpu (or @tensorflow/tfjs-node) where its download of libtensorflow is let through',
  );
}
