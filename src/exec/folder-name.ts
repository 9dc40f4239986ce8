import {sha256} from '../core/digest.ts';

const longest = 100;

/**
 * A file name for a node id or slice key that people still recognise: `train[fold=2]` gives `train.fold=2`. Whatever is
 * replaced or cut is made up for by a few digits of a hash, so that different names stay different.
 */
export function folderName(id: string): string {
  const plain = id.replace(/^([\w-]+)\[(.*)\]$/s, '$1.$2');
  const safe = plain.replace(/[^\w.=,+@-]/g, '_').replace(/^\./, '_');
  return safe === plain && safe.length <= longest && safe !== ''
    ? safe
    : `${safe.slice(0, longest)}-${sha256(id).slice(0, 8)}`;
}
