import type {VNode} from 'preact';
import {useState} from 'preact/hooks';
import type {PageResult} from '../../report/page-data.ts';
import {Choice} from '../components/choice.tsx';
import {useShown} from '../components/show-more.tsx';
import {sortRows} from '../model/cell-order.ts';

type BarsResult = Extract<PageResult, {readonly kind: 'bars'}>;

type Order = 'highest' | 'lowest' | 'name';

/** One number a name, as bars that a table holds. */
export function BarsView({result, title}: {readonly result: BarsResult; readonly title: string}): VNode {
  const [order, setOrder] = useState<Order>('highest');
  const {bars, unit} = result;
  const sorted = sortRows(
    bars,
    (bar) => (order === 'name' ? bar.name : bar.value),
    order === 'highest' ? 'descending' : 'ascending',
  );
  const {shown, more} = useShown(sorted, 20, order);
  const longest = Math.max(...bars.map(({value}) => Math.abs(value)), Number.MIN_VALUE);
  const full = longest <= 1 ? 1 : longest;
  const text = bars.every(({value}) => Number.isInteger(value)) ? String : fixedText;
  return (
    <>
      <Choice
        label="Order"
        value={order}
        options={[
          ['highest', 'Highest first'],
          ['lowest', 'Lowest first'],
          ['name', 'By name'],
        ]}
        onChange={setOrder}
      />
      <table class="bars">
        <caption class="for-readers">{title}</caption>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col" class="number">
              {unit}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({name, value}) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <div class="bar-line">
                  <span class="bar-track" aria-hidden="true">
                    <span class="bar" style={{width: `${(100 * Math.abs(value)) / full}%`}} />
                  </span>
                  <span class="bar-value">{text(value)}</span>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

/** Values of one list have the same decimals, so that their places align. */
function fixedText(value: number): string {
  return value.toFixed(4);
}
