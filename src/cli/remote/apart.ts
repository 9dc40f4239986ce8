import type {ActionResult} from '../../core/action.ts';
import type {Sha256} from '../../core/digest.ts';
import type {ActionCache} from '../../core/ports.ts';

/** Action results of which new ones are kept in memory alone: they end with this process. */
export function actionsApart<T extends ActionCache>(actions: T): T {
  const apart = new Map<Sha256, ActionResult>();
  return {
    ...actions,
    get: (fingerprint) => apart.get(fingerprint) ?? actions.get(fingerprint),
    put: async (result) => void apart.set(result.fingerprint, result),
  };
}
