import {isArray, isObject, type Json} from '../core/json.ts';

/** What dvc.lock says of the outputs of stages: the folders and the files among them, as the stages write their paths. */
export interface LockedKinds {
  kindOf(stage: string, out: string): 'file' | 'tree' | undefined;
}

/** Reads dvc.lock; one that is missing or damaged knows nothing. */
export async function readLock(text: string | undefined): Promise<LockedKinds> {
  const {parseDocument} = await import('yaml');
  const document = text === undefined ? undefined : parseDocument(text, {prettyErrors: false});
  const root = document && document.errors.length === 0 ? (document.toJS() as Json) : null;
  const stages = isObject(root) && isObject(root['stages']) ? root['stages'] : {};
  return {
    kindOf(stage, out) {
      const section = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
      const outs = isObject(section) && isArray(section['outs']) ? section['outs'] : [];
      const found = outs.filter(isObject).find(({path}) => path === out);
      const hash = found?.['md5'] ?? found?.['etag'] ?? found?.['checksum'];
      if (typeof hash !== 'string') return undefined;
      return hash.endsWith('.dir') ? 'tree' : 'file';
    },
  };
}
