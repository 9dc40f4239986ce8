import type {VNode} from 'preact';
import {useId, useState} from 'preact/hooks';
import {NodeLink} from '../components/node-link.tsx';
import type {ResultGroup} from '../model/result-groups.ts';
import {ResultView} from './result-view.tsx';

/** One result, or one of its variants, with its title and where it comes from. */
export function ResultCard({group}: {readonly group: ResultGroup}): VNode {
  const [at, setAt] = useState(0);
  const id = useId();
  const variant = group.variants[at] ?? group.variants[0];
  if (variant === undefined) return <></>;
  const {result} = variant;
  return (
    <article class={`card card-${result.kind}`} aria-labelledby={id}>
      <div class="card-head">
        <h3 id={id}>{group.title}</h3>
        {group.variants.length > 1 && (
          <label class="picker">
            Variant{' '}
            <select value={at} onChange={(event) => setAt(Number(event.currentTarget.value))}>
              {group.variants.map(({label}, index) => (
                <option key={index} value={index}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <p class="card-origin">
        <NodeLink id={result.node} /> <span class="quiet">{result.file}</span>
      </p>
      <ResultView result={result} title={group.title} />
    </article>
  );
}
