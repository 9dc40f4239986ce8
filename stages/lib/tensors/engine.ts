import type {Tensor} from '@tensorflow/tfjs-core';
import {didYouMean, StageError} from 'mixdown/stage';
import {composedOps} from './composed-ops.ts';
import {importOrExplain} from './import-or-explain.ts';
import type {Ops} from './ops.ts';
import {startTensorFlow} from './tensorflow-backend.ts';
import type {Tf} from './tf.ts';
import {startWasm} from './wasm-backend.ts';
import {startWebGpu} from './webgpu-backend.ts';

/** Engine classes in order of preference. Results of one class repeat bit for bit; those of two differ by rounding. */
export const ENGINE_NAMES = ['tensorflow-gpu', 'tensorflow-cpu', 'webgpu', 'onnx-blas', 'wasm', 'cpu'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** A tensor library that is ready to compute. Model code uses `tf` and `ops` only, and never asks which engine it is. */
export interface Engine {
  readonly name: EngineName;
  readonly tf: Tf;
  readonly ops: Ops;
  /** Tensors of which nobody wants the gradient: see gradient.ts. */
  readonly constants: WeakSet<Tensor>;
}

export interface EngineRequest {
  /** One of ENGINE_NAMES. */
  readonly engine: string;
  /** Cores to use, of those engines that take a number; the results do not depend on it. */
  readonly threads: number;
}

/**
 * The engine of this process, started by the first call; a later call with the same name gives the same one, whatever its
 * threads. Throws StageError when it cannot be had, with the reason: never another one in its place.
 */
export async function loadEngine({engine: wanted, threads}: EngineRequest): Promise<Engine> {
  const name = ENGINE_NAMES.find((known) => known === wanted);
  if (name === undefined) {
    throw new StageError(`there is no tensor engine \`${wanted}\``, didYouMean(wanted, ENGINE_NAMES));
  }
  const tf = await importOrExplain('@tensorflow/tfjs-core', () => import('@tensorflow/tfjs-core'));
  const place = tf.engine() as Place;
  const started = place[STARTED];
  if (started !== undefined && started.name !== name) {
    throw new StageError(
      `this process computes with the tensor engine \`${started.name}\` and cannot change to \`${name}\``,
      'a process has one engine: start another process',
    );
  }
  if (started !== undefined) return started.engine;
  const engine = start(tf, name, threads);
  place[STARTED] = {name, engine};
  try {
    return await engine;
  } catch (error) {
    delete place[STARTED];
    throw error;
  }
}

/**
 * The library has one engine a process and keeps it in one place, and every compiled stage has a copy of this module: so
 * what was started is noted there.
 */
const STARTED = Symbol.for('mixdown/tensor-engine');

interface Place {
  [STARTED]?: {readonly name: EngineName; readonly engine: Promise<Engine>};
}

async function start(tf: Tf, name: EngineName, threads: number): Promise<Engine> {
  return {name, tf, ops: await startBackend(tf, name, threads), constants: new WeakSet()};
}

async function startBackend(tf: Tf, name: EngineName, threads: number): Promise<Ops> {
  switch (name) {
    case 'tensorflow-gpu':
    case 'tensorflow-cpu':
      await startTensorFlow(tf, name);
      return composedOps(tf);
    case 'webgpu':
      await startWebGpu(tf);
      return composedOps(tf);
    case 'onnx-blas':
    case 'wasm':
      return startWasm(tf, name, threads);
    case 'cpu':
      await importOrExplain('@tensorflow/tfjs-backend-cpu', () => import('@tensorflow/tfjs-backend-cpu'));
      // Otherwise it prints a banner that recommends a package which may be impossible to install here.
      tf.enableProdMode();
      await tf.setBackend('cpu');
      return composedOps(tf);
  }
}
