import {type Kernel, lazyKernel} from '../kernels/kernel.ts';
import {code} from '../kernels/resample-wasm.ts';
import {keepTables} from '../kernels/tables.ts';

/** What assembly/resample.ts exports. */
export interface ResampleKernel extends Kernel {
  createPlan(inputPoints: number, outputPoints: number, band: number): number;
  resampleBlocks(plan: number, input: number, hop: number, skip: number, count: number, output: number): void;
  assignTaps(weights: number, taps: number, fraction: number): void;
  multiplyTaps(
    weights: number,
    weightOffsets: number,
    samples: number,
    sampleOffsets: number,
    taps: number,
    output: number,
    count: number,
  ): void;
}

export const resampleKernel = lazyKernel(code) as () => ResampleKernel;

export const keepResampleTables = keepTables(resampleKernel);
