import type {Digest, Sha256} from './digest.ts';
import type {Json} from './json.ts';
import type {Builder, Voucher} from './origin.ts';

/** One exact difference between what a node is now and what its last result was made from. */
export type StaleReason =
  | {readonly kind: 'never-built'}
  | {readonly kind: 'stage-changed'; readonly before: string; readonly after: string}
  | {
      readonly kind: 'code-changed';
      readonly before: Sha256;
      readonly after: Sha256;
      readonly files?: readonly CodeChange[];
    }
  | {readonly kind: 'param-changed'; readonly param: string; readonly before: Json; readonly after: Json}
  | {readonly kind: 'param-added'; readonly param: string; readonly after: Json}
  | {readonly kind: 'param-removed'; readonly param: string; readonly before: Json}
  | {
      readonly kind: 'input-changed';
      readonly input: string;
      readonly index?: number;
      readonly before: Digest;
      readonly after: Digest;
      readonly entries?: EntryChanges;
    }
  | {readonly kind: 'input-count-changed'; readonly input: string; readonly before: number; readonly after: number}
  | {readonly kind: 'input-added'; readonly input: string}
  | {readonly kind: 'input-removed'; readonly input: string}
  | {readonly kind: 'outputs-changed'; readonly before: Json; readonly after: Json}
  | {readonly kind: 'seed-changed'; readonly before: number; readonly after: number}
  | {
      readonly kind: 'toolchain-changed';
      readonly tool: string;
      readonly before: string | undefined;
      readonly after: string | undefined;
    }
  | {readonly kind: 'salt-changed'}
  | {readonly kind: 'slicing-changed'; readonly before: string | undefined; readonly after: string | undefined}
  /** The fingerprint is known but a needed blob is gone or damaged. */
  | {readonly kind: 'output-missing'; readonly output: string}
  /** A producer will or may run, so this input is not known yet. */
  | {readonly kind: 'upstream'; readonly input: string; readonly node: string}
  /** There is a result, but it rests on somebody who vouched for a wrong one. */
  | {readonly kind: 'distrusted'; readonly voucher: Voucher; readonly builder?: Builder}
  /** Others made a result, which is made again to see whether it is right. */
  | {readonly kind: 'recheck'; readonly voucher: Voucher}
  | {readonly kind: 'forced'};

/** A file or package of a stage's import closure that changed; `before` or `after` is absent when it came or went. */
export interface CodeChange {
  readonly what: 'file' | 'package';
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

/** What changed inside a tree; each list holds at most a few dozen paths, the counts are exact. */
export interface EntryChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly addedCount: number;
  readonly removedCount: number;
  readonly changedCount: number;
  /** Entries of the tree as it is now. */
  readonly total: number;
}
