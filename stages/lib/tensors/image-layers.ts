import type {Tensor1D, Tensor2D, Tensor4D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';

/** x (N, H, W, C) convolved with filter (h, w, C, O), SAME padding, plus biases (O). */
export function convolution(engine: Engine, x: Tensor4D, filter: Tensor4D, biases: Tensor1D, stride: number): Tensor4D {
  const {tf} = engine;
  const inputShape = [...x.shape];
  const filterShape = [...filter.shape];
  const attributes = {strides: [stride, stride], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1]};
  return withGradient(engine, [x, filter, biases], (save) => {
    save([x, filter]);
    return {
      value: tf.fused.conv2d({x, filter, bias: biases, strides: stride, pad: 'same'}),
      gradient: (dy, [x, filter]: [Tensor4D, Tensor4D]) => [
        () => tf.engine().runKernel('Conv2DBackpropInput', {dy, filter}, {...attributes, inputShape}),
        () => tf.engine().runKernel('Conv2DBackpropFilter', {x, dy}, {...attributes, filterShape}),
        () => tf.sum(dy, [0, 1, 2]),
      ],
    };
  });
}

/** Maxima of 2 x 2 windows, stride 2, SAME padding. Of equal maxima one gets the gradient; which one differs by engine. */
export function maxPool(engine: Engine, x: Tensor4D): Tensor4D {
  const {tf} = engine;
  const attributes = {filterSize: [2, 2], strides: [2, 2], pad: 'same'};
  return withGradient(engine, [x], (save) => {
    const value = tf.maxPool(x, 2, 2, 'same');
    save([x, value]);
    return {
      value,
      gradient: (dy, [input, output]: [Tensor4D, Tensor4D]) => [
        () => tf.engine().runKernel('MaxPoolGrad', {dy, input, output}, attributes),
      ],
    };
  });
}

/** Mean over both axes of the image: x (N, H, W, C) to (N, C). */
export function imageMean(engine: Engine, x: Tensor4D): Tensor2D {
  const {tf} = engine;
  const [rows, height, width, channels] = x.shape;
  return withGradient(engine, [x], () => ({
    value: tf.mean<Tensor2D>(x, [1, 2]),
    gradient: (dy) => [
      () => tf.tile(tf.reshape(tf.div(dy, height * width), [rows, 1, 1, channels]), [1, height, width, 1]),
    ],
  }));
}
