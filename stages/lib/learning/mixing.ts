import {drawBeta} from './beta.ts';
import type {Example} from '../experiment/mixed-table.ts';
import type {Rng} from '../rng.ts';

/**
 * As many mixed examples as there are rows: pairs drawn uniformly, the share from Beta(alpha, alpha), alpha > 0.
 * Source: Zhang et al. 2018, "mixup".
 */
export function mixedExamples(rows: readonly number[], alpha: number, rng: Rng): readonly Example[] {
  const pairs = rng.fork('pairs');
  const shares = rng.fork('shares');
  const draw = (): number => rows[pairs.integer(rows.length)] as number;
  return rows.map(() => ({first: draw(), second: draw(), share: drawBeta(shares, alpha)}));
}
