/** Who made a result, as far as they say so themselves. Told to people; nothing is decided by it. */
export interface Builder {
  /** `ci`, `ada@lab7`. */
  readonly name: string;
  /** Commit of the project. */
  readonly commit?: string;
  /** Address of the CI job. */
  readonly job?: string;
}

/**
 * Whom a result is taken from: `key:<SHA-256 of the public key>` where it was signed, else `namespace:<name>`. Who is not
 * trusted any more is so by this name.
 */
export type Voucher = `key:${string}` | `namespace:${string}`;

export function isVoucher(value: unknown): value is Voucher {
  return typeof value === 'string' && /^(key|namespace):/.test(value);
}

/** Where a borrowed result came from. */
export interface Origin {
  readonly voucher: Voucher;
  readonly namespace: string;
  readonly builder?: Builder;
  /** Who took it over from another namespace, and answers for it since. */
  readonly promotedBy?: Builder;
}

/** Whom a result rests on; nobody for what was made here. */
export interface Rests {
  /** Who vouched for it. */
  readonly from?: Voucher;
  /** Others that made slices of it. */
  readonly via?: readonly Voucher[];
}

/** Somebody who vouched for a wrong result. */
export interface Distrusted {
  readonly voucher: Voucher;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Who made the result, or took it over and answers for it since; as they say. */
  readonly builder?: Builder;
  /** The node that it was a result of; absent when a person says so. */
  readonly node?: string;
  /** How it differs, or the person's reason. */
  readonly why: string;
}
