import {padEnd, padStart, textWidth} from './text-width.ts';

export interface Column {
  readonly title: string;
  /** Numbers read best to the right. */
  readonly align?: 'left' | 'right';
}

/** Aligned columns, two spaces apart, no trailing spaces; the head is left out when all titles are empty. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => column.title);
  const lines = head.some((title) => title !== '') ? [head, ...rows] : [...rows];
  const widths = columnWidths(columns, lines);
  return lines
    .map((line) =>
      columns
        .map((column, index) => align(line[index] ?? '', widths[index] ?? 0, column.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function columnWidths(columns: readonly Column[], lines: readonly (readonly string[])[]): number[] {
  return columns.map((_, index) => lines.reduce((most, line) => Math.max(most, textWidth(line[index] ?? '')), 0));
}

function align(text: string, width: number, side: Column['align']): string {
  return side === 'right' ? padStart(text, width) : padEnd(text, width);
}
