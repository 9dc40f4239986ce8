import type * as core from '@tensorflow/tfjs-core';

/** The tensor library's operations, whichever engine computes them. */
export type Tf = typeof core;
