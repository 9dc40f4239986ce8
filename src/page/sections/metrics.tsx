import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageChanges} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {FilterBox} from '../components/filter-box.tsx';
import {MetricTable} from '../components/metric-table.tsx';
import {usePage} from '../components/page-context.tsx';
import {Section} from '../components/section.tsx';
import {useShown} from '../components/show-more.tsx';
import {metricGroups} from '../model/metric-groups.ts';

/** The numbers that nodes report, over their axes, and how they moved since an earlier run. */
export function MetricsSection(): VNode {
  const {index, route, refine} = usePage();
  const {metricGroup: group = '', metricText: text = '', changed} = route;
  const names = useMemo(
    () => metricGroups(index, {group: '', text: '', changed: false}).map(({name}) => name),
    [index],
  );
  const onlyChanged = changed !== undefined;
  const groups = useMemo(
    () => metricGroups(index, {group, text, changed: onlyChanged}),
    [index, group, text, onlyChanged],
  );
  const {shown, more} = useShown(groups, 12, `${group} ${text}`);
  const nodes = groups.reduce((count, {nodes: members}) => count + members.length, 0);
  const {changes} = index.data;
  return (
    <Section name="metrics">
      {changes !== undefined && <ChangesNote changes={changes} />}
      <div class="filters">
        <FilterBox
          label="Filter"
          placeholder="name, variant or metric"
          value={text}
          result={`${countText(nodes, 'node')} with metrics`}
          onChange={(metricText) => refine({metricText})}
        />
        <label class="picker">
          Nodes{' '}
          <select value={group} onChange={(event) => refine({metricGroup: event.currentTarget.value})}>
            <option value="">all names</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {changes !== undefined && (
          <label class="check">
            <input
              type="checkbox"
              checked={onlyChanged}
              onChange={(event) => refine({changed: event.currentTarget.checked ? 'only' : undefined})}
            />{' '}
            only what changed
          </label>
        )}
      </div>
      {groups.length === 0 && <p>No metrics match.</p>}
      {shown.map((shownGroup) => (
        <MetricTable key={shownGroup.name} group={shownGroup} />
      ))}
      {more}
    </Section>
  );
}

function ChangesNote({changes: {since, metrics, added, removed}}: {readonly changes: PageChanges}): VNode {
  const parts = [
    metrics.length > 0 && `${countText(metrics.length, 'metric')} changed`,
    added.length > 0 && `${countText(added.length, 'node')} new`,
    removed.length > 0 && `${countText(removed.length, 'node')} gone`,
  ].filter((part) => part !== false);
  return (
    <div class="note">
      Against <code>{since}</code>: {parts.length > 0 ? parts.join(', ') : 'all metrics are the same'}.
      {removed.length > 0 && (
        <details>
          <summary>Nodes that are gone</summary>
          <ul>
            {removed.slice(0, MOST_GONE).map((id) => (
              <li key={id}>{id}</li>
            ))}
            {removed.length > MOST_GONE && <li>and {removed.length - MOST_GONE} more</li>}
          </ul>
        </details>
      )}
    </div>
  );
}

const MOST_GONE = 100;
