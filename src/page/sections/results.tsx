import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import {Section} from '../components/section.tsx';
import {usePage} from '../components/page-context.tsx';
import {useShown} from '../components/show-more.tsx';
import {groupResults} from '../model/result-groups.ts';
import {ResultCard} from '../results/result-card.tsx';

/** Tables, curves and figures that the run made. */
export function ResultsSection(): VNode {
  const {index} = usePage();
  const groups = useMemo(() => groupResults(index), [index]);
  const {shown, more} = useShown(groups, 24);
  return (
    <Section name="results">
      {groups.length === 0 && <p>Nothing that this run made has a form that a page can show.</p>}
      <div class="result-cards">
        {shown.map((group) => (
          <ResultCard key={group.key} group={group} />
        ))}
      </div>
      {more}
    </Section>
  );
}
