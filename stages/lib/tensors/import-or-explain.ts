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
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new StageError(`the package ${name} cannot be loaded: ${reason}`, hint);
  }
}
