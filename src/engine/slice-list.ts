import type {SliceRecord} from '../core/action.ts';
import type {Digest} from '../core/digest.ts';
import type {Cas} from '../core/ports.ts';
import {parseSlices} from '../core/slice-manifest.ts';

/** The slices of a result, in the order of its items; none when their list is not here, or is none. */
export async function readSliceList(
  digest: Digest | undefined,
  cas: Pick<Cas, 'read'>,
): Promise<readonly SliceRecord[]> {
  const bytes = digest && (await cas.read(digest));
  return (bytes && parseSlices(new TextDecoder().decode(bytes))?.slices) ?? [];
}
