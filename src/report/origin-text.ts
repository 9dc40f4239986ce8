import type {Builder, Distrusted, Origin, Voucher} from '../core/origin.ts';
import {agoText} from './duration.ts';
import {printable} from './text-width.ts';

/** `key 3f2a91c07b4e…`, `namespace pr-12`. */
function voucherText(voucher: Voucher): string {
  const at = voucher.indexOf(':');
  const [kind, name] = [voucher.slice(0, at), voucher.slice(at + 1)];
  return kind === 'key' ? `key ${name.slice(0, 12)}…` : `${kind} ${name}`;
}

/** `ci (key 3f2a91c07b4e…)`; the voucher alone when nobody is named. */
export function vouchedText(voucher: Voucher, builder?: Pick<Builder, 'name'>): string {
  return builder ? `${builder.name} (${voucherText(voucher)})` : voucherText(voucher);
}

/** `not trusted: ` and who it is. */
export function distrustedText(entry: Distrusted, now: number): string {
  return `not trusted: ${foundOutText(entry, now)}`;
}

/** `ada (namespace pr-12), found 2 days ago in prep: differs …`; `key 3f2a91c07b4e…, since 2 days ago: its laptop was stolen`. */
export function foundOutText({voucher, builder, since, node, why}: Distrusted, now: number): string {
  const ago = agoText(now - since);
  // What a warning said of a node begins with its name.
  const isNamed = node === undefined || why.startsWith(`${node}: `) || why.startsWith(`${node}, `);
  const when = node === undefined ? `since ${ago}` : `found ${ago}${isNamed ? '' : ` in ${node}`}`;
  return `${vouchedText(voucher, builder)}, ${when}: ${printable(why)}`;
}

/** `made by ci (commit 1f2e3d4c5b6a, https://…); from namespace main, signed with key 3f2a91c07b4e…`. */
export function originText({voucher, namespace, builder, promotedBy}: Origin): string {
  const signature = voucher.startsWith('key:') ? `signed with ${voucherText(voucher)}` : 'not signed';
  const makers = [
    `made by ${builder ? builderText(builder) : 'others'}`,
    ...(promotedBy ? [`taken over by ${builderText(promotedBy)}`] : []),
  ];
  return [...makers, `from namespace ${namespace}, ${signature}`].join('; ');
}

function builderText({name, commit, job}: Builder): string {
  const facts = [
    ...(commit === undefined ? [] : [`commit ${commit.slice(0, 12)}`]),
    ...(job === undefined ? [] : [job]),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

/** Others that made slices of a result. */
export function viaText(via: readonly Voucher[]): string {
  return `slices also by ${via.map(voucherText).join(', ')}`;
}
