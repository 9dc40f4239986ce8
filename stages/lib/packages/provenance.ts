import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {PcaOrigin} from '../learning/pca.ts';
import type {Provenance} from './description.ts';

/** Digests of the files that are there, by what they are. */
export function digestsOf(files: Readonly<Record<string, string | undefined>>): Provenance['files'] {
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, path]) => {
      if (path === undefined) return [];
      const bytes = readFileSync(path);
      return [[name, {sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length}]];
    }),
  );
}

/** Throws StageError when the model and the PCA say that they are of different folds. */
export function checkFold(training: Readonly<Record<string, string>>, fitted: PcaOrigin | undefined): void {
  const fold = training['fold'];
  if (fold === undefined || fitted === undefined || Number(fold) === fitted.fold) return;
  throw new StageError(
    `the model was trained for fold ${fold}, the PCA parameters were fitted for fold ${fitted.fold}`,
    'take both from the same fold',
  );
}
