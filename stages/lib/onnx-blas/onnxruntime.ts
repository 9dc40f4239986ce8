import {encodeModel, type OnnxNode, type ValueInfo} from '../onnx/encode.ts';

/** A value in memory that onnxruntime reads or writes in place. */
interface OrtValue {
  readonly type: 'float32';
  readonly location: 'cpu';
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A model ready to run, at once and on memory of the caller: below onnxruntime's public interface, which is asynchronous. */
export interface SyncSession {
  run(inputs: Readonly<Record<string, OrtValue>>, outputs: Readonly<Record<string, OrtValue>>, options: object): object;
  dispose(): void;
}

interface Binding {
  readonly InferenceSession: new () => SyncSession & {
    loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  };
}

/** A model of one node, its output `y`, of the shapes given, and the threads that a run may use. */
export interface SessionRequest {
  readonly node: OnnxNode;
  readonly inputs: readonly ValueInfo[];
  readonly y: ValueInfo['shape'];
  readonly threads: number;
}

export type OpenSession = (request: SessionRequest) => SyncSession;

/**
 * Why onnxruntime's synchronous binding cannot be had: the package is not there, it has no binaries for this platform, or
 * it is of a version that works otherwise inside. Undefined when all is well.
 */
export async function blasProblem(): Promise<string | undefined> {
  const open = await loadOnnxRuntime();
  return typeof open === 'string' ? open : undefined;
}

/** Opens sessions for tiny models; or a reason, as `blasProblem`. */
export async function loadOnnxRuntime(): Promise<OpenSession | string> {
  let version = '';
  try {
    const {env} = await import('onnxruntime-node');
    version = env.versions.node ?? '';
    const {binding, initOrt} = await import('onnxruntime-node/dist/binding.js');
    initOrt();
    const open = opener(binding as unknown as Binding);
    const problem = trialProblem(open);
    return problem === undefined ? open : `the inner binding of onnxruntime-node ${version} ${problem}`;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `onnxruntime-node ${version} cannot be used: ${reason}`.replace('  ', ' ');
  }
}

export function value(data: Float32Array, ...dims: readonly number[]): OrtValue {
  return {type: 'float32', location: 'cpu', data, dims};
}

function opener(binding: Binding): OpenSession {
  return ({node, inputs, y, threads}) => {
    const outputs = [{name: 'y', shape: y}];
    const model = encodeModel({nodes: [node], inputs, outputs, initialisers: new Map()});
    const session = new binding.InferenceSession();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      // Other workers use the cores that its threads would wait on.
      extra: {session: {intra_op: {allow_spinning: '0'}}},
    });
    return session;
  };
}

/** Nothing that is not declared stays as it was: a small product tells whether results come at once and in place. */
function trialProblem(open: OpenSession): string | undefined {
  const session = open({
    node: {op: 'MatMul', inputs: ['a', 'b'], outputs: ['y']},
    inputs: [
      {name: 'a', shape: ['m', 'k']},
      {name: 'b', shape: ['k', 'n']},
    ],
    y: ['m', 'n'],
    threads: 1,
  });
  const y = new Float32Array(2);
  session.run(
    {a: value(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3), b: value(Float32Array.of(1, 10, 100), 3, 1)},
    {y: value(y, 2, 1)},
    {},
  );
  session.dispose();
  return y[0] === 321 && y[1] === 654 ? undefined : 'does not multiply matrices at once and in place';
}
