import type {ComponentChildren, VNode} from 'preact';
import {useState} from 'preact/hooks';
import {sortRows, type CellKey, type Direction} from '../model/cell-order.ts';
import {ScrollBox} from './scroll-box.tsx';
import {useShown} from './show-more.tsx';

/** A column: what it is sorted by, and what it shows where that is not the same. */
export interface Column<Row> {
  readonly name: string;
  readonly numeric?: boolean;
  readonly key: (row: Row) => CellKey;
  readonly view?: (row: Row) => ComponentChildren;
  /** Cells that name their row. */
  readonly heads?: boolean;
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row, index: number) => string | number;
  /** Rows before "show more". */
  readonly step?: number;
  /** The caption is for screen readers only: a heading says the same. */
  readonly quietCaption?: boolean;
}

/** A table that is sorted by its column heads and shows long lists piece by piece. */
export function DataTable<Row>(props: DataTableProps<Row>): VNode {
  const {caption, columns, rows, rowKey, step = 100, quietCaption = false} = props;
  const [order, setOrder] = useState<{readonly column: number; readonly direction: Direction}>();
  const by = order === undefined ? undefined : columns[order.column];
  const sorted = order === undefined || by === undefined ? rows : sortRows(rows, by.key, order.direction);
  const {shown, more} = useShown(sorted, step);
  const turn = (column: number): void =>
    setOrder({
      column,
      direction: order?.column === column ? opposite(order.direction) : firstDirection(columns[column]),
    });
  return (
    <>
      <ScrollBox label={caption}>
        <table>
          <caption class={quietCaption ? 'for-readers' : undefined}>{caption}</caption>
          <thead>
            <tr>
              {columns.map((column, at) => (
                <th
                  key={column.name}
                  scope="col"
                  class={column.numeric === true ? 'number' : undefined}
                  aria-sort={order?.column === at ? order.direction : 'none'}
                >
                  <button type="button" class="sort-button" onClick={() => turn(at)}>
                    {column.name}
                    <span class="sort-sign" aria-hidden="true">
                      {order?.column === at ? SIGNS[order.direction] : '↕'}
                    </span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={rowKey(row, index)}>{columns.map((column) => cell(column, row))}</tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {more}
    </>
  );
}

const SIGNS: Readonly<Record<Direction, string>> = {ascending: '↑', descending: '↓'};

function opposite(direction: Direction): Direction {
  return direction === 'ascending' ? 'descending' : 'ascending';
}

/** Numbers start with the largest, as one looks for those. */
function firstDirection<Row>(column: Column<Row> | undefined): Direction {
  return column?.numeric === true ? 'descending' : 'ascending';
}

function cell<Row>(column: Column<Row>, row: Row): VNode {
  const content = column.view === undefined ? column.key(row) : column.view(row);
  const style = column.numeric === true ? 'number' : undefined;
  return column.heads === true ? (
    <th key={column.name} scope="row" class={style}>
      {content}
    </th>
  ) : (
    <td key={column.name} class={style}>
      {content}
    </td>
  );
}
