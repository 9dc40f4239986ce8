import type {Paint} from './paint.ts';
import {numberText} from './number-text.ts';
import {textTable} from './table.ts';
import {padEnd, padStart, printable, textWidth} from './text-width.ts';
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

/**
 * GitHub's Markdown tables, each under its title in bold, with a blank line between. Columns are aligned as prettier aligns
 * them, so that a table in a document stays as it is when the document is formatted.
 *
 * @param digits - decimals of numbers that are not whole
 */
export function markdownTables(tables: readonly ValueTable[], digits?: number): string {
  return tables
    .map(({title, columns, rows}) => {
      const head = columns.map((column) => markdownText(column.title));
      const body = rows.map((row) => row.map((value) => markdownText(cellText(value, digits))));
      const widths = columns.map((_, index) =>
        [head, ...body].reduce((most, line) => Math.max(most, textWidth(line[index] ?? '')), 3),
      );
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      const aligned = (cells: readonly string[]): string =>
        line(columns.map(({numeric}, index) => (numeric ? padStart : padEnd)(cells[index] ?? '', widths[index] ?? 0)));
      const rule = columns.map(({numeric}, index) => {
        const dashes = '-'.repeat((widths[index] ?? 0) - 1);
        return numeric ? `${dashes}:` : `:${dashes}`;
      });
      const lines = [aligned(head), line(rule), ...body.map(aligned)];
      const heading = markdownText(title ?? '');
      return `${heading === '' ? '' : `**${heading}**\n\n`}${lines.join('\n')}\n`;
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

function cellText(value: string | number | undefined, digits?: number): string {
  return typeof value === 'number' ? numberText(value, digits) : (value ?? '');
}

/** A text on one line that Markdown shows as it is. An underscore within a word needs no escape. */
export function markdownText(text: string): string {
  return printable(text)
    .replaceAll(/[\\|*`<~[]|(?<![a-z0-9])_|_(?![a-z0-9])|&(?=[#\w]+;)/gi, String.raw`\$&`)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
