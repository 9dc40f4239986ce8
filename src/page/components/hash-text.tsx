import type {VNode} from 'preact';
import {CopyButton} from './copy-button.tsx';

/** A digest: its head to see, the whole of it to copy. */
export function HashText({hash, of}: {readonly hash: string; readonly of: string}): VNode {
  return (
    <span class="hash">
      <code title={hash}>{hash.slice(0, 12)}</code>
      <CopyButton what={`the digest of ${of}`} text={hash} small />
    </span>
  );
}
