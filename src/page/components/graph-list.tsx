import type {VNode} from 'preact';
import type {PageGroup} from '../../report/page-data.ts';
import {isSource} from '../model/graph-layout.ts';
import {useHref} from './page-context.tsx';
import {GroupOutcomes} from './group-outcomes.tsx';
import {useShown} from './show-more.tsx';

/** The graph as a list in the order of the work. */
export function GraphList({groups}: {readonly groups: readonly PageGroup[]}): VNode {
  const href = useHref();
  const {shown, more} = useShown(groups, 200);
  return (
    <>
      <ol class="graph-list">
        {shown.map((group) => (
          <li key={group.name}>
            <a href={href({group: group.name})}>{group.name}</a>
            <GroupOutcomes group={group} />
            {group.reads.length > 0 && <span class="quiet">reads {group.reads.map(readText).join(', ')}</span>}
          </li>
        ))}
      </ol>
      {more}
    </>
  );
}

function readText(key: string): string {
  return isSource(key) ? `source ${key.slice('source:'.length)}` : key;
}
