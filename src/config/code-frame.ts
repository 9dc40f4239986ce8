import type {SourceRange} from '../core/failure.ts';

const context = 2;
const widthLimit = 110;

/**
 * The lines around a place with a squiggle under it, without colour. A long line is cut to a window around the place;
 * tabs become single spaces and control characters dots, so that the squiggle stands right.
 */
export function codeFrame(text: string, range: SourceRange): string {
  const lines = text.split('\n');
  const first = Math.max(1, range.line - context);
  const last = Math.min(lines.length, range.line + context);
  const gutter = String(last).length;
  const window = windowOf(range.column, lines[range.line - 1] ?? '');
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const line = clean(lines[number - 1] ?? '');
    if (number === last && line === '' && number !== range.line) break;
    const shown = cut(line, window);
    rows.push(`${number === range.line ? '>' : ' '} ${String(number).padStart(gutter)} | ${shown}`.trimEnd());
    if (number !== range.line) continue;
    const end = range.endLine === range.line ? (range.endColumn ?? range.column) : line.length + 1;
    const from = range.column - 1 - window.from;
    const length = Math.max(1, Math.min(end - range.column, widthLimit - from));
    rows.push(`  ${' '.repeat(gutter)} | ${' '.repeat(from)}${'~'.repeat(length)}`);
  }
  return rows.join('\n');
}

interface Window {
  readonly from: number;
  readonly to: number;
}

function windowOf(column: number, line: string): Window {
  const from = line.length <= widthLimit || column <= widthLimit - 30 ? 0 : column - Math.floor(widthLimit / 2);
  return {from, to: from + widthLimit};
}

function cut(line: string, {from, to}: Window): string {
  const head = from > 0 && line.length > from ? `…${line.slice(from + 1, to)}` : line.slice(from, to);
  return line.length > to ? `${head.slice(0, -1)}…` : head;
}

function clean(line: string): string {
  return line
    .replace(/\r$/, '')
    .replaceAll('\t', ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');
}
