import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {Heap} from './heap.ts';
import {isFinish} from './matrix-kernels.ts';
import type {Product} from './products.ts';
import {sizeOf, type Kernel, type KernelCall} from './registry.ts';

/** A convolution's sizes, as assembly/tensors-patches.ts has them. */
interface Geometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly top: number;
  readonly left: number;
}

/** Bytes of patches that are multiplied at once: they stay in cache between being laid out and being read. */
const PATCH_BYTES = 2_000_000;
const LEAST_PATCHES = 96;
/** The same for the gradient of a filter, which reads all of dy for each block. */
const COLUMN_BYTES = 16_000_000;
const LEAST_COLUMNS = 32;

/** Convolutions of images (N, H, W, C) and their gradients, as products of matrices made of patches. */
export function convolutionKernels(tf: Tf, heap: Heap, product: Product): Readonly<Record<string, Kernel>> {
  const {kernels} = heap;

  /** y (images * outHeight * outWidth, outputs) = patches of x times filter (kernelHeight * kernelWidth * channels, outputs). */
  function convolve(x: number, filter: number, y: number, geometry: Geometry, outputs: number): void {
    const {images, channels, outHeight, outWidth, kernelHeight, kernelWidth} = geometry;
    const rows = images * outHeight * outWidth;
    const depth = kernelHeight * kernelWidth * channels;
    if (rows * depth * outputs === 0) return;
    const call = {b: filter, k: depth, n: outputs, transposeB: false};
    if (isPointwise(geometry)) {
      product({...call, a: x, y, m: rows});
      return;
    }
    const block = Math.min(rows, Math.max(LEAST_PATCHES, Math.floor(PATCH_BYTES / (4 * depth))));
    withGeometry(geometry, (sizes) =>
      heap.withScratch(4 * block * depth, (patches) => {
        for (let from = 0; from < rows; from += block) {
          const end = Math.min(rows, from + block);
          kernels.patchRows(x, patches, from, end, sizes);
          product({...call, a: patches, y: y + 4 * from * outputs, m: end - from});
        }
      }),
    );
  }

  function withGeometry(geometry: Geometry, use: (address: number) => void): void {
    const g = geometry;
    const kernel = [g.kernelHeight, g.kernelWidth, g.strideHeight, g.strideWidth, g.dilationHeight, g.dilationWidth];
    const sizes = [g.height, g.width, g.channels, g.outHeight, g.outWidth, ...kernel, g.top, g.left];
    const values = Int32Array.from(sizes);
    heap.withScratch(values.byteLength, (address) => {
      heap.bytes(address, values.byteLength).set(new Uint8Array(values.buffer));
      use(address);
    });
  }

  function forward(call: KernelCall): TensorInfo | TensorInfo[] {
    const {x, filter, bias} = call.inputs as {x: TensorInfo; filter: TensorInfo; bias?: TensorInfo};
    const geometry = geometryOf(tf, x.shape, filter.shape, call);
    if (geometry === undefined || !isFinish(call)) return call.fallBack();
    const outputs = filter.shape[3] as number;
    const {images, outHeight, outWidth} = geometry;
    const output = heap.output([images, outHeight, outWidth, outputs]);
    const y = heap.addressOf(output);
    convolve(heap.addressOf(x), heap.addressOf(filter), y, geometry, outputs);
    const rectify = call.attrs['activation'] === 'relu';
    if (bias !== undefined || rectify) {
      const shift = bias === undefined ? 0 : heap.addressOf(bias);
      kernels.addBias(y, shift, images * outHeight * outWidth, outputs, rectify);
    }
    return output;
  }

  return {
    Conv2D: forward,
    FusedConv2D: forward,
    /** With stride 1, the gradient of the image is a convolution as well: of dy, with the filter turned over. */
    Conv2DBackpropInput(call) {
      const {dy, filter} = call.inputs as {dy: TensorInfo; filter: TensorInfo};
      const shape = call.attrs['inputShape'] as [number, number, number, number];
      const geometry = geometryOf(tf, shape, filter.shape, call);
      if (geometry === undefined || geometry.strideHeight !== 1 || geometry.strideWidth !== 1) return call.fallBack();
      const [kernelHeight, kernelWidth, channels, outputs] = filter.shape as [number, number, number, number];
      const taps = kernelHeight * kernelWidth;
      const dx = heap.output(shape);
      heap.withScratch(4 * sizeOf(filter.shape), (turned) => {
        const from = heap.addressOf(filter);
        const bytes = 4 * channels * outputs;
        for (let tap = 0; tap < taps; tap++) {
          kernels.transpose(from + tap * bytes, turned + (taps - 1 - tap) * bytes, channels, outputs);
        }
        const reverse: Geometry = {
          ...geometry,
          height: geometry.outHeight,
          width: geometry.outWidth,
          channels: outputs,
          outHeight: geometry.height,
          outWidth: geometry.width,
          top: (kernelHeight - 1) * geometry.dilationHeight - geometry.top,
          left: (kernelWidth - 1) * geometry.dilationWidth - geometry.left,
        };
        convolve(heap.addressOf(dy), turned, heap.addressOf(dx), reverse, channels);
      });
      return dx;
    },
    /** The transpose of the patches times dy. */
    Conv2DBackpropFilter(call) {
      const {x, dy} = call.inputs as {x: TensorInfo; dy: TensorInfo};
      const shape = call.attrs['filterShape'] as [number, number, number, number];
      const geometry = geometryOf(tf, x.shape, shape, call);
      if (geometry === undefined) return call.fallBack();
      const [kernelHeight, kernelWidth, channels, outputs] = shape;
      const {images, height, width, outHeight, outWidth} = geometry;
      const pixels = images * outHeight * outWidth;
      const depth = kernelHeight * kernelWidth * channels;
      const dFilter = heap.output(shape);
      const y = heap.addressOf(dFilter);
      if (pixels === 0) heap.floats(y, depth * outputs).fill(0);
      if (pixels * depth * outputs === 0) return dFilter;
      const block = Math.min(depth, Math.max(LEAST_COLUMNS, Math.floor(COLUMN_BYTES / (4 * pixels))));
      withGeometry(geometry, (sizes) =>
        heap.withScratch(4 * sizeOf(x.shape), (planes) => {
          const image = 4 * height * width * channels;
          for (let i = 0; i < images; i++) {
            kernels.transpose(heap.addressOf(x) + i * image, planes + i * image, height * width, channels);
          }
          heap.withScratch(4 * block * pixels, (columns) => {
            for (let from = 0; from < depth; from += block) {
              const end = Math.min(depth, from + block);
              kernels.patchColumns(planes, columns, from, end, images, sizes);
              const call = {a: columns, b: heap.addressOf(dy), m: end - from, k: pixels, n: outputs};
              product({...call, y: y + 4 * from * outputs, transposeB: false});
            }
          });
        }),
      );
      return dFilter;
    },
  };
}

/** Undefined for layouts that are not ours. */
function geometryOf(
  tf: Tf,
  image: readonly number[],
  filter: readonly number[],
  {attrs, inputs}: KernelCall,
): Geometry | undefined {
  const {strides, dilations, pad, dimRoundingMode, dataFormat} = attrs as {
    strides: number | [number, number];
    dilations?: number | [number, number];
    pad: 'same' | 'valid' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    dataFormat?: string;
  };
  const isFloat = Object.values(inputs).every((input) => input === undefined || input.dtype === 'float32');
  if (dataFormat === 'NCHW' || !isFloat) return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    image as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
  return {
    images: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
  };
}

/** Whether the patches are the pixels as they are. */
function isPointwise({kernelHeight, kernelWidth, strideHeight, strideWidth, top, left, ...sizes}: Geometry): boolean {
  const isWhole = sizes.height === sizes.outHeight && sizes.width === sizes.outWidth;
  return isWhole && [kernelHeight, kernelWidth, strideHeight, strideWidth].every((n) => n === 1) && top + left === 0;
}
