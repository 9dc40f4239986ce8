import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import {compareUtf8} from '../core/tree.ts';

export interface SliceFailure {
  readonly key: string;
  readonly failure: Failure;
}

/** Slices whose message is told. */
const shown = 20;
/** Slices named in the first line, which is all that a summary tells. */
const shownInHead = 5;

/**
 * One failure for all slices of a node that failed: each with its own message, in the order of their keys. Code, hint and
 * where it can be reproduced are the first one's.
 */
export function sliceFailures(node: NodeId, total: number, failures: readonly SliceFailure[]): Failure {
  const sorted = [...failures].sort((a, b) => compareUtf8(a.key, b.key));
  const [first] = sorted;
  if (!first) throw new Error('sliceFailures: none failed');
  if (sorted.length === 1) return {...first.failure, node, message: `slice ${first.key}: ${first.failure.message}`};
  const keys = sorted.map(({key}) => key);
  const head = `${sorted.length} of ${total} slices failed: ${listed(keys, shownInHead)}`;
  const lines = sorted.slice(0, shown).map(({key, failure}) => `${key}: ${indented(failure.message)}`);
  if (sorted.length > shown) lines.push(`and ${sorted.length - shown} more`);
  return {...first.failure, node, message: [head, ...lines].join('\n')};
}

function listed(keys: readonly string[], most: number): string {
  const more = keys.length - most;
  return keys.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** A message may quote the last lines of a program. */
function indented(message: string): string {
  return message.trimEnd().replaceAll('\n', '\n  ');
}
