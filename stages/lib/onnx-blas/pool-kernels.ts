import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {Heap} from './heap.ts';
import type {Kernel} from './registry.ts';

/** The gradient of maxima of 2 x 2 windows with stride 2; the backend's own serves other windows. */
export function poolKernels(tf: Tf, heap: Heap): Readonly<Record<string, Kernel>> {
  return {
    MaxPoolGrad({inputs, attrs, fallBack}) {
      const {dy, input: x} = inputs as {dy: TensorInfo; input: TensorInfo};
      const {filterSize, strides, pad, dimRoundingMode} = attrs as {
        filterSize: number | [number, number];
        strides: number | [number, number];
        pad: 'same' | 'valid' | number;
        dimRoundingMode?: 'floor' | 'round' | 'ceil';
      };
      const shape = x.shape as [number, number, number, number];
      const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
      const {batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo} = info;
      const isTwo = [info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth].every((n) => n === 2);
      const isWhole = outHeight === Math.ceil(inHeight / 2) && outWidth === Math.ceil(inWidth / 2);
      if (!isTwo || !isWhole || padInfo.top + padInfo.left > 0) return fallBack();
      const dx = heap.output(shape);
      const [from, by, to] = [x, dy, dx].map(heap.addressOf) as [number, number, number];
      heap.kernels.maxPoolGradient(from, by, to, batchSize, inHeight, inWidth, inChannels);
      return dx;
    },
  };
}
