import type {NodeId, Source} from './pipeline.ts';
import type {EntryChanges, StaleReason} from './reason.ts';

/** What a node's result is made from that is not the same at two moments. */
export type AffectedReason =
  | StaleReason
  /** The earlier pipeline does not have the node. */
  | {readonly kind: 'node-added'}
  /** The bytes of a source, or which files it takes. */
  | {
      readonly kind: 'source-changed';
      readonly input: string;
      readonly source: string;
      /** Of a folder whose declaration is the same. */
      readonly entries?: EntryChanges;
      readonly declared?: {readonly before: SourceText; readonly after: SourceText};
    }
  /** The input reads other artifacts. */
  | {
      readonly kind: 'binding-changed';
      readonly input: string;
      readonly before: readonly string[];
      readonly after: readonly string[];
    };

/** Which files a source takes. */
export type SourceText = Pick<Source, 'path' | 'include' | 'exclude'>;

export interface AffectedNode {
  readonly node: NodeId;
  readonly name: string;
  readonly stage: string;
  /** False when it only follows nodes before it. */
  readonly root: boolean;
  readonly reasons: readonly AffectedReason[];
}

/** True for a reason that plans know too. */
export function isStaleReason(reason: AffectedReason): reason is StaleReason {
  return reason.kind !== 'node-added' && reason.kind !== 'source-changed' && reason.kind !== 'binding-changed';
}
