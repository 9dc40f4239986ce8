import type {VNode} from 'preact';
import {useMemo, useRef, useState} from 'preact/hooks';
import type {PageResult} from '../../report/page-data.ts';
import {numberText} from '../../report/number-text.ts';
import {Choice} from '../components/choice.tsx';
import {DataTable, type Column} from '../components/data-table.tsx';
import {curveSummary, drawnFirst, hasPositive} from '../model/curve-data.ts';
import {DASHES} from './dashes.ts';
import {usePlot} from './plot.tsx';

type CurveResult = Extract<PageResult, {readonly kind: 'curve'}>;

/** Lines over one column, with the same values as a table. */
export function CurveView({result, title}: {readonly result: CurveResult; readonly title: string}): VNode {
  const [scale, setScale] = useState<'linear' | 'log'>('linear');
  const [open, setOpen] = useState(false);
  const [drawn, setDrawn] = useState(() => drawnFirst(result.lines));
  const toggle = (line: number): void => setDrawn(drawn.map((on, at) => (at === line ? !on : on)));
  const legend = useRef<HTMLUListElement>(null);
  const {x, lines} = result;
  const readout = useRef<HTMLParagraphElement>(null);
  const host = usePlot(result, {drawn, logarithmic: scale === 'log'}, legend, readout);
  const summary = useMemo(() => curveSummary(x, lines, numberText), [x, lines]);
  return (
    <>
      <div class="curve-bar">
        <ul class="legend" ref={legend}>
          {lines.map(({name}, at) => (
            <li key={name} class={`curve-${at % DASHES.length}`}>
              <button type="button" class="line-button" aria-pressed={drawn[at] === true} onClick={() => toggle(at)}>
                <svg width="28" height="8" aria-hidden="true">
                  <line x1="0" y1="4" x2="28" y2="4" stroke-dasharray={dashText(at)} />
                </svg>
                {name}
              </button>
            </li>
          ))}
        </ul>
        {hasPositive(lines) && (
          <Choice
            label="Vertical axis"
            value={scale}
            options={[
              ['linear', 'Linear'],
              ['log', 'Log'],
            ]}
            onChange={setScale}
          />
        )}
      </div>
      <div class="plot" role="img" aria-label={`${title} over ${x.name}. ${summary}`} ref={host} />
      <p class="plot-readout" aria-hidden="true" ref={readout} />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Values as a table</summary>
        {open && <CurveTable result={result} title={title} />}
      </details>
    </>
  );
}

function dashText(line: number): string {
  return (DASHES[line % DASHES.length] ?? []).join(' ');
}

function CurveTable({result: {x, lines}, title}: {readonly result: CurveResult; readonly title: string}): VNode {
  const columns: readonly Column<number>[] = [x, ...lines].map(({name, values}, at) => ({
    name,
    numeric: true,
    heads: at === 0,
    key: (row) => values[row] ?? null,
    view: (row) => {
      const value = values[row];
      return value === null || value === undefined ? '' : numberText(value);
    },
  }));
  return (
    <DataTable
      caption={title}
      quietCaption
      columns={columns}
      rows={x.values.map((_, row) => row)}
      rowKey={(row) => row}
    />
  );
}
