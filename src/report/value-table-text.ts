import type {Paint} from './paint.ts';
import {numberText} from './number-text.ts';
import {textTable} from './table.ts';
import {printable} from './text-width.ts';
import type {ValueTable} from './metric-table.ts';

/** Tables for a terminal, each under its title, with a blank line between. */
export function plainTables(tables: readonly ValueTable[], {bold}: Pick<Paint, 'bold'>): string {
  return tables
    .map(({title, columns, rows}) => {
      const head = columns.map((column) => ({title: printable(column.title), align: alignOf(column.numeric)}));
      const body = textTable(
        head,
        rows.map((row) => row.map((value) => printable(cellText(value)))),
      );
      return title === undefined ? body : `${bold(printable(title))}\n${body}`;
    })
    .join('\n\n');
}

/** GitHub's Markdown tables, each under its title in bold. */
export function markdownTables(tables: readonly ValueTable[]): string {
  return tables
    .map(({title, columns, rows}) => {
      const lines = [
        markdownLine(columns.map((column) => column.title)),
        `| ${columns.map(({numeric}) => (numeric ? '--:' : ':--')).join(' | ')} |`,
        ...rows.map((row) => markdownLine(row.map(cellText))),
      ];
      return `${title === undefined ? '' : `**${markdownText(title)}**\n\n`}${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** RFC 4180 with line feeds: numbers in full, an empty field where there is none. */
export function csvTable({columns, rows}: ValueTable): string {
  const lines = [columns.map(({title}) => title), ...rows.map((row) => row.map((value) => String(value ?? '')))];
  return lines.map((line) => `${line.map(csvField).join(',')}\n`).join('');
}

function alignOf(numeric: boolean): 'left' | 'right' {
  return numeric ? 'right' : 'left';
}

function cellText(value: string | number | undefined): string {
  return typeof value === 'number' ? numberText(value) : (value ?? '');
}

function markdownLine(cells: readonly string[]): string {
  return `| ${cells.map(markdownText).join(' | ')} |`;
}

export function markdownText(text: string): string {
  return printable(text)
    .replaceAll(/[\\|*_`<]/g, String.raw`\$&`)
    .replaceAll('\n', ' ');
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
