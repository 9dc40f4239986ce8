import type {Builder, Distrusted, Voucher} from '../core/origin.ts';
import {agoText} from './duration.ts';

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

/** `not trusted: namespace pr-12 (ada), since 2 days ago: prep differs …`. */
export function distrustedText({voucher, builder, since, node, why}: Distrusted, now: number): string {
  return `not trusted: ${vouchedText(voucher, builder)}, found ${agoText(now - since)} in ${node}: ${why}`;
}
