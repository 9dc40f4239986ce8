import type {VNode} from 'preact';
import type {Outcome} from '../../core/plan.ts';
import {OUTCOME_SIGNS} from '../model/outcome-words.ts';

/** An outcome as a sign, a word and a colour; with a count, of how many nodes. */
export function OutcomeBadge({outcome, count}: {readonly outcome: Outcome; readonly count?: number}): VNode {
  return (
    <span class={`outcome outcome-${outcome}`}>
      <span aria-hidden="true">{OUTCOME_SIGNS[outcome]}</span> {count} {outcome}
    </span>
  );
}
