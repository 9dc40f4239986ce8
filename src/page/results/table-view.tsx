import type {ComponentChildren, VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageResult} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {numberText} from '../../report/number-text.ts';
import {DataTable, type Column} from '../components/data-table.tsx';
import {keyOf, numberOf} from '../model/cell-order.ts';

type TableResult = Extract<PageResult, {readonly kind: 'table'}>;

/** A table of values, sorted by any of its columns. */
export function TableView({result, title}: {readonly result: TableResult; readonly title: string}): VNode {
  const columns = useMemo(() => columnsOf(result), [result]);
  return (
    <>
      <DataTable caption={title} quietCaption columns={columns} rows={result.rows} rowKey={(_, at) => at} step={20} />
      {result.more > 0 && <p class="about">{countText(result.more, 'more row')} in the file.</p>}
    </>
  );
}

function columnsOf({columns, rows}: TableResult): readonly Column<readonly string[]>[] {
  return columns.map((name, at) => {
    const text = (row: readonly string[]): string => row[at] ?? '';
    const filled = rows.filter((row) => text(row).trim() !== '');
    const numeric = filled.length > 0 && filled.every((row) => numberOf(text(row)) !== undefined);
    const shorten = numeric && filled.some((row) => LONG.test(text(row)));
    return {
      name,
      numeric,
      heads: at === 0,
      key: (row) => keyOf(text(row)),
      view: (row) => (shorten ? shortText(text(row)) : text(row)),
    };
  });
}

/** More decimals than one reads. */
const LONG = /\.\d{5,}/;

/** A plain number with four decimals, and the whole of it under the pointer. */
function shortText(text: string): ComponentChildren {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) || Number.isInteger(value) ? text : <span title={text}>{numberText(value)}</span>;
}
