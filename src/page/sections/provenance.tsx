import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import {countText} from '../../report/count-text.ts';
import {CopyButton} from '../components/copy-button.tsx';
import {FilterBox} from '../components/filter-box.tsx';
import {HashText} from '../components/hash-text.tsx';
import {NodeLink} from '../components/node-link.tsx';
import {useHref, usePage} from '../components/page-context.tsx';
import {ProvenanceStepView} from '../components/provenance-step.tsx';
import {Section} from '../components/section.tsx';
import {useShown} from '../components/show-more.tsx';
import {SourceCard} from '../components/source-card.tsx';
import {outputKey, provenanceOf, provenanceText, type Provenance} from '../model/provenance.ts';
import {textFilter} from '../model/text-filter.ts';

/** What an output was made from, down to the sources and the code. */
export function ProvenanceSection(): VNode {
  const {index, route} = usePage();
  const found = useMemo(
    () => (route.output === undefined ? undefined : provenanceOf(index, route.output)),
    [index, route.output],
  );
  return (
    <Section name="provenance" about="Choose an output to see what it was made from, down to the sources and the code.">
      <OutputChoice />
      {route.output !== undefined && found === undefined && <p>This run has no output {route.output}.</p>}
      {found !== undefined && <Chain found={found} />}
    </Section>
  );
}

/** Outputs, those of targets first, narrowed down by words. */
function OutputChoice(): VNode {
  const {index, route, refine} = usePage();
  const href = useHref();
  const text = route.outputText ?? '';
  const all = useMemo(() => {
    const targets = new Set(index.data.run.targets);
    const nodes = [...index.data.nodes]
      .reverse()
      .toSorted((a, b) => Number(targets.has(b.id)) - Number(targets.has(a.id)));
    return nodes.flatMap(({id, outputs}) => outputs.map(({output, file}) => ({key: outputKey(id, output), file})));
  }, [index]);
  const matching = useMemo(() => {
    const matches = textFilter(text);
    return all.filter(({key, file}) => matches(`${key} ${file}`));
  }, [all, text]);
  const {shown, more} = useShown(matching, 8, text);
  return (
    <div class="output-choice">
      <FilterBox
        label="Output"
        placeholder="node, output or file"
        value={text}
        result={countText(matching.length, 'output')}
        onChange={(outputText) => refine({outputText})}
      />
      <ul class="output-list">
        {shown.map(({key, file}) => (
          <li key={key}>
            <a href={href({output: key})} aria-current={key === route.output ? 'true' : undefined}>
              <span class="code">{key}</span> <span class="quiet">{file}</span>
            </a>
          </li>
        ))}
      </ul>
      {more}
    </div>
  );
}

function Chain({found}: {readonly found: Provenance}): VNode {
  const {index} = usePage();
  const {node, output, steps, sources, leftOut} = found;
  const made = node.outputs.find((candidate) => candidate.output === output);
  const nodes = steps.reduce((count, {nodes: members}) => count + members.length, 0);
  return (
    <div class="chain">
      <div class="chain-head">
        <h3>
          <NodeLink id={node.id} /> {output}
        </h3>
        <p>
          <code>{made?.file}</code> {made !== undefined && <HashText hash={made.hash} of={made.file} />}
        </p>
        <p>
          Made by {countText(nodes, 'node')} in {countText(steps.length, 'step')} from{' '}
          {countText(sources.length, 'source')}.{' '}
          {leftOut > 0 && `${countText(leftOut, 'input')} more ${leftOut === 1 ? 'is' : 'are'} not in this page. `}
          <CopyButton what="the chain as text" text={provenanceText(index, found)} />
        </p>
      </div>
      <ol class="steps">
        {[...steps].reverse().map((step) => (
          <ProvenanceStepView key={step.name} step={step} />
        ))}
        {sources.map((source) => (
          <SourceCard key={source.name} source={source} />
        ))}
      </ol>
    </div>
  );
}
