import type {ComponentChildren, VNode} from 'preact';
import type {Outcome} from '../../core/plan.ts';
import type {PageRun} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {durationText} from '../../report/duration.ts';
import {OUTCOME_SIGNS, OUTCOMES} from '../model/outcome-words.ts';
import {useHref, usePage} from './page-context.tsx';
import {ThemeButton} from './theme-button.tsx';

/** Which project and run this is, how it went, and what the cache saved. */
export function PageHeader(): VNode {
  const {project, run, nodes} = usePage().index.data;
  return (
    <header class="page-header">
      <div class="page-title">
        <div>
          <p class="eyebrow">mixdown report</p>
          <h1>{project}</h1>
        </div>
        <ThemeButton />
      </div>
      <dl class="facts">
        <Fact name="Run">
          <span class={`verdict verdict-${run.outcome}`}>
            <span aria-hidden="true">{RUN_SIGNS[run.outcome]}</span> {run.outcome}
          </span>
          <span class="fact-note code">{run.id}</span>
        </Fact>
        <Fact name="Started">
          <time dateTime={run.startedAt}>{momentText(run.startedAt)}</time>
          <span class="fact-note">UTC</span>
        </Fact>
        <Fact name="Took">
          {run.wallMs === undefined ? 'not finished' : durationText(run.wallMs)}
          <span class="fact-note">on {run.host}</span>
        </Fact>
        <Fact name="Saved by the cache">
          {durationText(run.savedMs)}
          <span class="fact-note">of work not done again</span>
        </Fact>
        <Fact name="Nodes">
          {countText(nodes.length, 'node')}
          <span class="fact-note">seed {run.seed}</span>
        </Fact>
      </dl>
      <OutcomeBar counts={run.counts} />
    </header>
  );
}

const RUN_SIGNS: Readonly<Record<PageRun['outcome'], string>> = {
  running: '●',
  done: '✓',
  failed: '✕',
  interrupted: '◌',
};

function Fact({name, children}: {readonly name: string; readonly children: ComponentChildren}): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Counts by outcome: a bar for the proportions, and links to the nodes. */
function OutcomeBar({counts}: {readonly counts: Readonly<Record<Outcome, number>>}): VNode {
  const href = useHref();
  const shown = OUTCOMES.filter((outcome) => counts[outcome] > 0);
  return (
    <div class="outcome-summary">
      <div class="outcome-bar" aria-hidden="true">
        {shown.map((outcome) => (
          <span key={outcome} class={`outcome-${outcome}`} style={{flexGrow: counts[outcome]}} />
        ))}
      </div>
      <ul class="outcome-counts" aria-label="Nodes by outcome">
        {shown.map((outcome) => (
          <li key={outcome}>
            <a class={`outcome outcome-${outcome}`} href={href({section: 'nodes', outcome, text: undefined})}>
              <span aria-hidden="true">{OUTCOME_SIGNS[outcome]}</span> <b>{counts[outcome]}</b> {outcome}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** `2026-11-23 01:50:07`. */
function momentText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
