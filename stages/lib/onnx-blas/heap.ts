import type {DataType, Tensor, TensorInfo} from '@tensorflow/tfjs-core';
import {StageError} from 'mixdown/stage';
import type {Tf} from '../tensors/tf.ts';
import {loadTensorKernels, type TensorKernels} from './kernels.ts';

/**
 * The memory of the tensor library's WebAssembly backend, in which its tensors lie, and our kernels on it. Addresses are
 * bytes and stay where they are; views do not survive an allocation, which may move the memory.
 */
export interface Heap {
  readonly kernels: TensorKernels;
  readonly addressOf: (tensor: TensorInfo) => number;
  /** How many tensors share these values. */
  readonly ownersOf: (tensor: TensorInfo) => number;
  /** Valid until the next allocation. */
  readonly floats: (address: number, count: number) => Float32Array;
  /** Valid until the next allocation. */
  readonly bytes: (address: number, count: number) => Uint8Array;
  /** Room for a kernel's result, not cleared. Throws StageError when the memory is used up. */
  readonly output: (shape: readonly number[], dtype?: DataType) => TensorInfo;
  /** The same as a tensor, for operations outside of kernels. */
  readonly tensor: (shape: readonly number[]) => Tensor;
  /** Another owner of the values of `tensor`. */
  readonly share: (tensor: TensorInfo, shape: readonly number[]) => TensorInfo;
  /** Lends memory while `use` runs. Throws StageError when the memory is used up. */
  withScratch<T>(bytes: number, use: (address: number) => T): T;
}

/** What the heap takes from the backend, part of which its declarations leave out. */
interface Backend {
  readonly wasm?: {
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    readonly asm?: {readonly memory?: object; readonly malloc?: (bytes: number) => number};
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: {get(id: TensorInfo['dataId']): {readonly memoryOffset: number; readonly refCount: number}};
  incRef(id: TensorInfo['dataId']): void;
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
}

/** What a WebAssembly memory can hold: 4 GiB but for its last page. */
const LARGEST_HEAP = 2 ** 32 - 2 ** 16;

/**
 * The heap of the `wasm` backend, which must be the one in use. From then on a tensor for which there is no room is a
 * StageError; the backend alone would take address 0 for it and destroy itself. Throws StageError when the backend is of
 * another make.
 */
export function openHeap(tf: Tf): Heap {
  const backend = tf.backend() as unknown as Backend;
  const {wasm} = backend;
  const memory = wasm?.asm?.memory;
  const malloc = wasm?.asm?.malloc;
  if (wasm === undefined || memory === undefined || malloc === undefined) {
    throw new StageError(
      'the tensor library does not show the memory of its WebAssembly backend',
      'install the packages again (npm ci): another version of @tensorflow/tfjs-backend-wasm is there',
    );
  }
  wasm._malloc = (bytes) => {
    const address = bytes > LARGEST_HEAP ? 0 : malloc(bytes) >>> 0;
    if (address === 0) throw exhausted(bytes, wasm.HEAPU8.length);
    return address;
  };
  const output: Heap['output'] = (shape, dtype = 'float32') => backend.makeOutput([...shape], dtype);
  return {
    kernels: loadTensorKernels(memory),
    addressOf: ({dataId}) => backend.dataIdMap.get(dataId).memoryOffset,
    ownersOf: ({dataId}) => backend.dataIdMap.get(dataId).refCount,
    floats: (address, count) => new Float32Array(wasm.HEAPU8.buffer, address, count),
    bytes: (address, count) => new Uint8Array(wasm.HEAPU8.buffer, address, count),
    output,
    tensor: (shape) => tf.engine().makeTensorFromTensorInfo(output(shape)),
    share({dataId, dtype}, shape) {
      backend.incRef(dataId);
      return {dataId, dtype, shape: [...shape]};
    },
    withScratch(bytes, use) {
      const address = wasm._malloc(bytes);
      try {
        return use(address);
      } finally {
        wasm._free(address);
      }
    },
  };
}

function exhausted(bytes: number, held: number): StageError {
  const inMiB = (count: number): string => `${Math.ceil(count / 2 ** 20)} MiB`;
  return new StageError(
    `the tensor engine has no room for ${inMiB(bytes)} more: it holds ${inMiB(held)} and can address 4096 MiB`,
    'compute fewer examples at a time (a smaller batch or micro-batch), or give the machine more memory',
  );
}
