import {StageError} from 'mixdown/stage';

/** Imports a package; throws StageError with the reason and a hint when it cannot be loaded. */
export async function importOrExplain<T>(
  name: string,
  load: () => Promise<T>,
  hint = 'install the packages again (npm ci)',
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new StageError(importProblem(name, error), hint);
  }
}

/** Why a package cannot be imported, in one line. */
export function importProblem(name: string, error: unknown): string {
  const {code, message = String(error)} = (error ?? {}) as {readonly code?: unknown; readonly message?: string};
  const [reason = ''] = message.split('\n');
  // The same code stands for a package that the package itself misses.
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' && reason.includes(`'${name}'`);
  return isMissing ? `package ${name} is not installed` : `package ${name} cannot be loaded: ${reason}`;
}
