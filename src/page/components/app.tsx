import type {VNode} from 'preact';
import {useEffect, useMemo, useRef} from 'preact/hooks';
import type {PageIndex} from '../model/page-index.ts';
import {SECTIONS, type Section} from '../model/route.ts';
import {EnvironmentSection} from '../sections/environment.tsx';
import {GraphSection} from '../sections/graph.tsx';
import {MetricsSection} from '../sections/metrics.tsx';
import {NodesSection} from '../sections/nodes.tsx';
import {ProvenanceSection} from '../sections/provenance.tsx';
import {ResultsSection} from '../sections/results.tsx';
import {TimelineSection} from '../sections/timeline.tsx';
import {Drawer} from './drawer.tsx';
import {Navigation, SECTION_TITLES} from './navigation.tsx';
import {PageHeader} from './page-header.tsx';
import {PageProvider} from './page-context.tsx';
import {useRoute} from './route-state.tsx';

/** The page: header, navigation, the section that the address names (all of them for a print) and what is open over it. */
export function App({index, whole}: {readonly index: PageIndex; readonly whole: boolean}): VNode {
  const moves = useRoute();
  const {section} = moves.route;
  const state = useMemo(() => ({index, ...moves}), [index, moves.route]);
  const main = useSectionStart(section);
  const title = useMemo(() => document.title, []);
  useEffect(() => {
    document.title = `${SECTION_TITLES[section]} · ${title}`;
  }, [section]);
  return (
    <PageProvider value={state}>
      <a class="skip-link" href="#main" onClick={(event) => focusInstead(event, main.current)}>
        Skip to the content
      </a>
      <PageHeader />
      <Navigation />
      <main id="main" tabIndex={-1} ref={main}>
        {(whole ? SECTIONS : [section]).map((name) => (
          <SectionOf key={name} name={name} />
        ))}
      </main>
      <Drawer />
      <footer class="page-footer">Made by mixdown report. This page is one file and needs no network.</footer>
    </PageProvider>
  );
}

function SectionOf({name}: {readonly name: Section}): VNode {
  switch (name) {
    case 'results':
      return <ResultsSection />;
    case 'metrics':
      return <MetricsSection />;
    case 'graph':
      return <GraphSection />;
    case 'timeline':
      return <TimelineSection />;
    case 'nodes':
      return <NodesSection />;
    case 'provenance':
      return <ProvenanceSection />;
    case 'environment':
      return <EnvironmentSection />;
  }
}

/** Moves the view to the start of a section that has just replaced another. */
function useSectionStart(section: Section): {current: HTMLElement | null} {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(section);
  useEffect(() => {
    if (shown.current === section) return;
    shown.current = section;
    main.current?.focus({preventScroll: true});
    const top = main.current?.getBoundingClientRect().top ?? 0;
    if (top < 0) main.current?.scrollIntoView();
  }, [section]);
  return main;
}

/** A link inside the page that must leave the address, which is the route's, as it is. */
function focusInstead(event: Event, target: HTMLElement | null): void {
  event.preventDefault();
  target?.focus();
}
