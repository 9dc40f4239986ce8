import {describe, expect, it} from 'vitest';
import {slownessOf} from '../../../../src/cli/engines/slow-engine.ts';
import type {Failure} from '../../../../src/core/failure.ts';
import type {EngineName} from '../../../../src/core/tensor-engine.ts';

/** The warning about two nodes that compute with plain JavaScript, where only these engines work. */
function warning(...working: readonly EngineName[]): Promise<Failure | undefined> {
  const check = async (engine: EngineName) =>
    working.includes(engine)
      ? {works: true as const, versions: {}, gflops: 1, wallMs: 1}
      : {works: false as const, reason: 'broken'};
  return slownessOf('2 nodes', {check});
}

describe('plain JavaScript', () => {
  it('is warned about, with why nothing faster is used', async () => {
    expect(await warning('onnx-blas', 'wasm', 'cpu')).toEqual({
      code: 'slow-engine',
      message: '2 nodes will compute tensors in plain JavaScript: about a hundred times slower than it could be',
      hint: 'leave out `cpu` as the engine',
    });
    expect(await warning('cpu')).toMatchObject({
      message: expect.stringContaining('nothing faster works (onnx-blas: broken; wasm: broken)'),
    });
  });

  it('is not, where it does not work either', async () => {
    expect(await warning()).toBeUndefined();
  });
});
