import type {VNode} from 'preact';
import {useMemo, useState} from 'preact/hooks';
import type {PageResult} from '../../report/page-data.ts';
import {Choice} from '../components/choice.tsx';
import {ScrollBox} from '../components/scroll-box.tsx';
import {heatStep, hits, rowShares} from '../model/heat.ts';

type ConfusionResult = Extract<PageResult, {readonly kind: 'confusion'}>;

type Measure = 'counts' | 'shares';

/** Counts of true against predicted classes, as a table whose colours follow each row's shares. */
export function ConfusionView({result, title}: {readonly result: ConfusionResult; readonly title: string}): VNode {
  const [measure, setMeasure] = useState<Measure>('counts');
  const {classes, counts} = result;
  const shares = useMemo(() => rowShares(counts), [counts]);
  const {right, all} = hits(counts);
  const text = (row: number, column: number): string => {
    if (measure === 'counts') return String(counts[row]?.[column] ?? 0);
    const percent = 100 * (shares[row]?.[column] ?? 0);
    return percent > 0 && percent < 0.5 ? '<1' : String(Math.round(percent));
  };
  return (
    <>
      <Choice
        label="Cells show"
        value={measure}
        options={[
          ['counts', 'Counts'],
          ['shares', '% of the true class'],
        ]}
        onChange={setMeasure}
      />
      <p class="about">
        {right} of {all} right{all > 0 ? ` (${((100 * right) / all).toFixed(1)} %)` : ''}. A row is a true class, a
        column what was predicted.
      </p>
      <ScrollBox label={title}>
        <table class="confusion">
          <caption class="for-readers">{title}: rows are true classes, columns predicted ones</caption>
          <thead>
            <tr>
              <th scope="col">true class</th>
              {classes.map((name) => (
                <th key={name} scope="col">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {classes.map((name, row) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {classes.map((other, column) => (
                  <td key={other} class={`heat-${heatStep(shares[row]?.[column] ?? 0)}${row === column ? ' hit' : ''}`}>
                    {text(row, column)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}
