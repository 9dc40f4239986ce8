import {readdirSync} from 'node:fs';
import type {Sha256} from '../core/digest.ts';
import {countText} from '../report/count-text.ts';
import {othersAtWork} from '../store/gc.ts';
import type {Store} from '../store/store.ts';
import type {Context} from './context.ts';

/**
 * Cancels jobs on a cluster that runs left when they were killed, and whose results are here by now, from a remote cache for
 * instance. While another process uses the store nothing is cancelled: it may wait for them.
 */
export async function cancelAbandonedJobs({io, note}: Pick<Context, 'io' | 'note'>, store: Store): Promise<void> {
  const dir = store.layout.submissions;
  if (isEmpty(dir) || othersAtWork(store).length > 0) return;
  const {cancelUseless} = await import('../exec/slurm/leftovers.ts');
  const {createSlurmClient} = await import('../exec/slurm/client.ts');
  const isThere = (fingerprint: string): boolean => store.actions.peek(fingerprint as Sha256) !== undefined;
  const count = await cancelUseless(dir, createSlurmClient(io.env), isThere, io.now());
  if (count > 0) note(`cancelled ${countText(count, 'job')} of an earlier run, as the results are here`);
}

function isEmpty(dir: string): boolean {
  try {
    return readdirSync(dir).length === 0;
  } catch {
    return true;
  }
}
