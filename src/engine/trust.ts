import type {ActionResult, SliceRecord} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {Distrusted, Rests, Voucher} from '../core/origin.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {StaleReason} from '../core/reason.ts';
import type {PlanPorts} from './workspace.ts';

type TrustPorts = Pick<PlanPorts, 'distrust'>;

/** What is known against those whom a result rests on; undefined when it may be used. What was made here costs nothing. */
export function distrustOf({from, via}: Rests, {distrust}: TrustPorts): Distrusted | undefined {
  if (!distrust || (from === undefined && via === undefined)) return undefined;
  const against = from === undefined ? undefined : distrust.of(from);
  if (against) return against;
  for (const voucher of via ?? []) {
    const known = distrust.of(voucher);
    if (known) return known;
  }
  return undefined;
}

/** Whom a record rests on. */
export function restsOf({borrowed, via}: Pick<ActionResult, 'borrowed' | 'via'>): Rests {
  return {...(borrowed ? {from: borrowed.voucher} : {}), ...(via ? {via} : {})};
}

/** The members of `rests` that are set, to be copied into a record. */
export function copyRests({from, via}: Rests): Rests {
  return {...(from === undefined ? {} : {from}), ...(via === undefined ? {} : {via})};
}

/** Why the result that is here for this fingerprint is not used; undefined when there is none, or nothing is against it. */
export function distrustReason(
  node: NodeId,
  fingerprint: Sha256,
  ports: Pick<PlanPorts, 'state' | 'actions' | 'distrust'>,
): StaleReason | undefined {
  if (!ports.distrust) return undefined;
  const last = ports.state.get(node);
  const result = last?.fingerprint === fingerprint ? undefined : ports.actions.get(fingerprint);
  const against = distrustOf(result ? restsOf(result) : last?.fingerprint === fingerprint ? last : {}, ports);
  if (!against) return undefined;
  const {voucher, builder} = against;
  return {kind: 'distrusted', voucher, ...(builder ? {builder} : {})};
}

/**
 * The slices of a manifest that may be used one by one, each with whom it rests on.
 *
 * @param holder - who vouched for the manifest itself. What that says others made is not taken at its word: it is found in
 *   their own lists, or made again.
 */
export function usableSlices(
  slices: readonly SliceRecord[],
  holder: Voucher | undefined,
  {distrust}: TrustPorts,
): readonly SliceRecord[] {
  if (holder === undefined && slices.every(({from}) => from === undefined)) return slices;
  return slices.flatMap((slice): readonly SliceRecord[] => {
    const {from = holder} = slice;
    if (from === undefined) return [slice];
    if ((holder !== undefined && from !== holder) || distrust?.of(from)) return [];
    return slice.from === undefined ? [{...slice, from}] : [slice];
  });
}

/** All others that made one of the slices, sorted; undefined when nobody did. */
export function viaOf(slices: readonly SliceRecord[]): readonly Voucher[] | undefined {
  const via = new Set<Voucher>();
  for (const {from} of slices) if (from !== undefined) via.add(from);
  return via.size === 0 ? undefined : [...via].sort();
}
