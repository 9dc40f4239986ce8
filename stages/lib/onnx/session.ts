import type * as OnnxRuntime from 'onnxruntime-node';
import {StageError} from 'mixdown/stage';
import {importOrExplain} from '../tensors/import-or-explain.ts';
import type {NamedArray} from '../tensors/named-array.ts';

/** A model loaded by onnxruntime. Several sessions may live in one process. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Computes all outputs. Throws StageError with onnxruntime's words when the inputs do not fit the model. */
  run(inputs: Readonly<Record<string, NamedArray>>): Promise<Record<string, NamedArray>>;
  /** Frees the memory of the model. Nothing may be run afterwards. */
  release(): Promise<void>;
}

/**
 * Loads a model, the bytes of an ONNX file or the path of one, on the CPU. Throws StageError when onnxruntime-node is
 * missing or does not take the model.
 *
 * @param threads - cores that one run may use
 */
export async function openSession(model: Uint8Array | string, threads: number): Promise<Session> {
  const library = await importOrExplain(
    'onnxruntime-node',
    () => import('onnxruntime-node'),
    'install the packages again (npm ci) without leaving out optional ones, or choose another engine',
  );
  return sessionOf(library, await load(library, model, threads));
}

async function load({InferenceSession}: typeof OnnxRuntime, model: Uint8Array | string, threads: number) {
  const options = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors are thrown as well: what it prints beside them is left out.
    logSeverityLevel: 4,
    // Other workers use the cores that its threads would wait on.
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  } as const;
  return explained('onnxruntime does not take the model', () =>
    // Two declarations: one for bytes, one for a path.
    typeof model === 'string' ? InferenceSession.create(model, options) : InferenceSession.create(model, options),
  );
}

/** A function of its own: what it returns would keep the bytes of the model alive beside onnxruntime's copy. */
function sessionOf({Tensor}: typeof OnnxRuntime, session: OnnxRuntime.InferenceSession): Session {
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(inputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, {shape, data}]) => [name, new Tensor('float32', data, [...shape])]),
      );
      const results = await explained('onnxruntime could not run the model', () => session.run(feeds));
      return Object.fromEntries(
        Object.entries(results).map(([name, {data, dims}]) => [name, {shape: dims, data: data as Float32Array}]),
      );
    },
    release: () => session.release(),
  };
}

async function explained<T>(what: string, compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (error) {
    throw new StageError(`${what}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
