import type {VNode} from 'preact';
import type {PageTimeline} from '../../report/page-data.ts';
import {durationText} from '../../report/duration.ts';
import {criticalSteps} from '../model/critical-steps.ts';
import {NodeLink} from './node-link.tsx';
import {useShown} from './show-more.tsx';

/** The chain of work that decided when the run ended. */
export function CriticalPath({timeline}: {readonly timeline: PageTimeline}): VNode | null {
  const steps = criticalSteps(timeline);
  const {shown, more} = useShown(steps, 30);
  if (steps.length === 0) return null;
  return (
    <>
      <h3>Critical path</h3>
      <p class="about">Only less time in these makes the whole run shorter.</p>
      <ol class="critical-path">
        {shown.map(({node, wallMs, lane, share}) => (
          <li key={node}>
            <NodeLink id={node} />
            <span class="quiet">
              {durationText(wallMs)}
              {lane === '' ? '' : ` on ${lane}`}, {Math.round(100 * share)} % of the run
            </span>
          </li>
        ))}
      </ol>
      {more}
    </>
  );
}
