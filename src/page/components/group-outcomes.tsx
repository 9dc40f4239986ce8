import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageGroup} from '../../report/page-data.ts';
import {OUTCOME_SIGNS, outcomeCounts} from '../model/outcome-words.ts';
import {usePage} from './page-context.tsx';

/** What became of the nodes of one name, in counts. */
export function GroupOutcomes({group}: {readonly group: PageGroup}): VNode {
  const {index} = usePage();
  const counts = useMemo(() => outcomeCounts(group.nodes.flatMap((id) => index.nodes.get(id) ?? [])), [index, group]);
  return (
    <span class="group-outcomes">
      {counts.map(([outcome, count]) => (
        <span key={outcome} class={`outcome outcome-${outcome}`}>
          <span aria-hidden="true">{OUTCOME_SIGNS[outcome]}</span> {count}
          <span class={counts.length > 1 ? 'for-readers' : undefined}> {outcome}</span>
        </span>
      ))}
    </span>
  );
}
