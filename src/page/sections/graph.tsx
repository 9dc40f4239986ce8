import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageGroup} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {Choice} from '../components/choice.tsx';
import {GraphCanvas} from '../components/graph-canvas.tsx';
import {GraphList} from '../components/graph-list.tsx';
import {usePage} from '../components/page-context.tsx';
import {Section} from '../components/section.tsx';
import {layOutGraph} from '../model/graph-layout.ts';
import {outcomeCounts} from '../model/outcome-words.ts';

/** The nodes by name, and what reads what. */
export function GraphSection(): VNode {
  const {index, route, refine} = usePage();
  const {groups, nodes} = index.data;
  const narrow = useMemo(() => matchMedia('(max-width: 640px)').matches, []);
  const view =
    route.graphView === 'list' || route.graphView === 'drawing' ? route.graphView : narrow ? 'list' : 'drawing';
  const layout = useMemo(() => {
    const badges = ({nodes: ids}: PageGroup): number =>
      outcomeCounts(ids.flatMap((id) => index.nodes.get(id) ?? [])).length;
    return view === 'drawing' ? layOutGraph(groups, badges) : undefined;
  }, [index, groups, view]);
  return (
    <Section
      name="graph"
      about={`${countText(nodes.length, 'node')} under ${countText(groups.length, 'name')}. Open a box to see its nodes.`}
    >
      <Choice
        label="View"
        value={view}
        options={[
          ['drawing', 'Drawing'],
          ['list', 'List'],
        ]}
        onChange={(graphView) => refine({graphView})}
      />
      {layout === undefined ? <GraphList groups={groups} /> : <GraphCanvas layout={layout} />}
    </Section>
  );
}
