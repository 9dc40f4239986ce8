import type {DataType, TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {Heap} from './heap.ts';
import {sizeOf, type Kernel} from './registry.ts';

/** Copies and parts of tensors, in long runs of bytes; the backend's own go value by value. */
export function moveKernels(tf: Tf, heap: Heap): Readonly<Record<string, Kernel>> {
  const {kernels, addressOf} = heap;
  return {
    /** Shares the values: nothing writes to them but Adam, who looks for other owners first. */
    Identity: ({inputs, fallBack}) => {
      const {x} = inputs as {x: TensorInfo};
      return x.dtype === 'string' ? fallBack() : heap.share(x, x.shape);
    },

    Tile({inputs, attrs, fallBack}) {
      const {x} = inputs as {x: TensorInfo};
      const {reps} = attrs as {reps: readonly number[]};
      const axes = reps.flatMap((times, axis) => (times === 1 ? [] : [axis]));
      const [axis = 0] = axes;
      if (axes.length > 1 || !isMovable(x)) return fallBack();
      const output = heap.output(
        x.shape.map((size, i) => size * (reps[i] as number)),
        x.dtype,
      );
      const rows = sizeOf(x.shape.slice(0, axis));
      const bytes = bytesOf(x.dtype) * sizeOf(x.shape.slice(axis));
      kernels.repeatRows(addressOf(x), addressOf(output), bytes, rows, reps[axis] ?? 1);
      return output;
    },

    Slice({inputs, attrs, fallBack}) {
      const {x} = inputs as {x: TensorInfo};
      if (!isMovable(x)) return fallBack();
      const {begin, size} = attrs as {begin: number | number[]; size: number | number[]};
      const [starts, sizes] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
      const output = heap.output(sizes, x.dtype);
      const unit = bytesOf(x.dtype);
      /** Copies what is asked for of the axes from `axis` on. */
      function copy(from: number, to: number, axis: number): void {
        const cut = sizes.findIndex((count, i) => i >= axis && count !== x.shape[i]);
        if (cut < 0) {
          kernels.copyRows(from, 0, to, 0, unit * sizeOf(sizes.slice(axis)), 1);
          return;
        }
        const [inner, outer] = [sizeOf(sizes.slice(cut + 1)), sizeOf(sizes.slice(axis, cut))];
        const whole = sizeOf(x.shape.slice(cut + 1));
        const [fromStep, toStep] = [unit * whole * (x.shape[cut] as number), unit * inner * (sizes[cut] as number)];
        const first = from + unit * whole * (starts[cut] as number);
        if (inner === whole) {
          kernels.copyRows(first, fromStep, to, toStep, toStep, outer);
          return;
        }
        for (let i = 0; i < outer; i++) {
          for (let j = 0; j < (sizes[cut] as number); j++) {
            copy(first + i * fromStep + unit * j * whole, to + i * toStep + unit * j * inner, cut + 1);
          }
        }
      }
      if (sizeOf(sizes) > 0) copy(addressOf(x), addressOf(output), 0);
      return output;
    },

    SplitV({inputs, attrs, fallBack}) {
      const {x} = inputs as {x: TensorInfo};
      if (!isMovable(x)) return fallBack();
      const {numOrSizeSplits, axis} = attrs as {numOrSizeSplits: number | number[]; axis: number};
      const [along = 0] = tf.util.parseAxisParam(axis, x.shape);
      const sizes = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, along);
      const rows = sizeOf(x.shape.slice(0, along));
      const unit = bytesOf(x.dtype) * sizeOf(x.shape.slice(along + 1));
      const outputs = sizes.map((size) => heap.output(x.shape.with(along, size), x.dtype));
      let from = addressOf(x);
      for (const [i, output] of outputs.entries()) {
        const bytes = unit * (sizes[i] as number);
        kernels.copyRows(from, unit * (x.shape[along] as number), addressOf(output), bytes, bytes, rows);
        from += bytes;
      }
      return outputs;
    },

    Concat({inputs, attrs, fallBack}) {
      const parts = Object.values(inputs);
      const [first] = parts as [TensorInfo];
      const [along = 0] = tf.util.parseAxisParam(attrs['axis'] as number, first.shape);
      if (!parts.every((part) => part.dtype === first.dtype && isMovable(part))) return fallBack();
      const output = heap.output(
        tf.backend_util.computeOutShape(
          parts.map((part) => part.shape),
          along,
        ),
        first.dtype,
      );
      const rows = sizeOf(first.shape.slice(0, along));
      const unit = bytesOf(first.dtype) * sizeOf(first.shape.slice(along + 1));
      const step = unit * (output.shape[along] as number);
      let to = addressOf(output);
      for (const part of parts) {
        const bytes = unit * (part.shape[along] as number);
        kernels.copyRows(addressOf(part), bytes, to, step, bytes, rows);
        to += bytes;
      }
      return output;
    },
  };
}

function isMovable({dtype}: TensorInfo): boolean {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

function bytesOf(dtype: DataType): number {
  return dtype === 'bool' ? 1 : 4;
}
