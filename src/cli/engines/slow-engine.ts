import {failure, type Failure} from '../../core/failure.ts';
import type {TensorEngines} from '../../core/ports.ts';

/**
 * Plain JavaScript is what is left when nothing else works: people should know, and what to do about it. Undefined where it
 * does not work either, which is told as what keeps things from running.
 *
 * @param what - what will compute with it, such as `3 nodes`
 */
export async function slownessOf(what: string, engines: Pick<TensorEngines, 'check'>): Promise<Failure | undefined> {
  if (!(await engines.check('cpu')).works) return undefined;
  const broken = await Promise.all(
    (['onnx-blas', 'wasm'] as const).map(async (engine) => {
      const check = await engines.check(engine);
      return check.works ? [] : [`${engine}: ${check.reason}`];
    }),
  );
  const reasons = broken.flat();
  const why = reasons.length === 0 ? '' : `, since nothing faster works (${reasons.join('; ')})`;
  return failure(
    'slow-engine',
    `${what} will compute tensors in plain JavaScript${why}: about a hundred times slower than it could be`,
    {hint: reasons.length === 0 ? 'leave out `cpu` as the engine' : 'install the packages again (npm ci)'},
  );
}
