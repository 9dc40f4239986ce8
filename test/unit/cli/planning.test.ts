import {describe, expect, it} from 'vitest';
import {warnOfSlowEngine} from '../../../src/cli/planning.ts';
import type {Failure} from '../../../src/core/failure.ts';
import type {Plan} from '../../../src/core/plan.ts';
import type {EngineName} from '../../../src/core/tensor-engine.ts';

/** Warnings about a plan of one node that computes with plain JavaScript, where only these engines work. */
async function warnings(working: readonly EngineName[]): Promise<readonly Failure[]> {
  const nodes = [{node: {id: 'train'}, status: 'will-run', engine: 'cpu'}] as unknown as Plan['nodes'];
  const told: Failure[] = [];
  const check = async (engine: EngineName) =>
    working.includes(engine)
      ? {works: true as const, versions: {}, gflops: 1, wallMs: 1}
      : {works: false as const, reason: 'broken'};
  await warnOfSlowEngine({nodes}, {check}, (failure) => told.push(failure));
  return told;
}

describe('plain JavaScript', () => {
  it('is warned about, with why nothing faster is used', async () => {
    expect(await warnings(['onnx-blas', 'wasm', 'cpu'])).toMatchObject([
      {
        code: 'slow-engine',
        message: expect.not.stringContaining('nothing faster'),
        hint: expect.stringContaining('`cpu`'),
      },
    ]);
    expect(await warnings(['cpu'])).toMatchObject([
      {message: expect.stringContaining('nothing faster works (onnx-blas: broken; wasm: broken)')},
    ]);
  });

  it('is not, where it does not work either', async () => {
    expect(await warnings([])).toEqual([]);
  });
});
