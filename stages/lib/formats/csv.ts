import {readFileSync, writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {count, firstOf} from '../problems.ts';

export type CsvRecord = Readonly<Record<string, string>>;

export interface CsvRow {
  /** Line on which the row starts, from 1; the header is line 1. */
  readonly line: number;
  readonly record: CsvRecord;
}

export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Reads a csv file with a header row (RFC 4180: quotes, doubled quotes, line breaks in quotes; LF, CRLF or CR alone; UTF-8, with or
 * without a byte order mark; empty lines are skipped). `name` stands for the file in messages.
 * Throws StageError with the line number for a malformed file or a missing column.
 */
export function readCsvTable(path: string, required: readonly string[], name = 'the csv file'): CsvTable {
  return parseCsv(decodeUtf8(readFileSync(path), name), required, name);
}

/** The rows of `readCsvTable` without their line numbers. */
export function readCsv(path: string, required: readonly string[], name?: string): readonly CsvRecord[] {
  return readCsvTable(path, required, name).rows.map((row) => row.record);
}

/** Writes a header and rows with LF line ends; a field is quoted only where it must be. Numbers must be finite. */
export function writeCsv(
  path: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  let text = encodeCsvRow(columns);
  for (const row of rows) {
    if (row.length !== columns.length) {
      throw new RangeError(`a csv row has ${row.length} fields, the header has ${columns.length}`);
    }
    text += encodeCsvRow(row);
  }
  writeFileSync(path, text);
}

/** As readCsvTable, from text. */
export function parseCsv(text: string, required: readonly string[], name = 'the csv file'): CsvTable {
  const unmarked = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const [header, ...lines] = splitRows(unmarked.includes('\n') ? unmarked : unmarked.replaceAll('\r', '\n'), name);
  if (header === undefined) throw new StageError(`${name} is empty; a header row is needed`);
  const columns = header.fields;
  const repeated = columns.find((column, i) => columns.indexOf(column) !== i);
  if (repeated !== undefined)
    throw new StageError(`${name}, line ${header.line}: column \`${repeated}\` appears twice`);
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new StageError(
      `${name}, line ${header.line}: no column ${missing.map((column) => `\`${column}\``).join(', ')}`,
      `the header has ${columns.map((column) => `\`${column}\``).join(', ')}`,
    );
  }
  checkLengths(lines, columns.length, name);
  const rows = lines.map(({line, fields}): CsvRow => ({
    line,
    record: Object.fromEntries(columns.map((column, i) => [column, fields[i] ?? ''])),
  }));
  return {columns, rows};
}

interface RawRow {
  readonly line: number;
  readonly fields: readonly string[];
}

function checkLengths(rows: readonly RawRow[], length: number, name: string): void {
  const wrong = rows.filter(({fields}) => fields.length !== length);
  const [first] = wrong;
  if (first === undefined) return;
  if (wrong.length === 1) {
    throw new StageError(
      `${name}, line ${first.line}: ${count(first.fields.length, 'field')}, the header has ${length}`,
    );
  }
  throw new StageError(
    `${name} has ${count(wrong.length, 'row')} of another length than the header's ${count(length, 'field')}: ` +
      firstOf(wrong.map(({line, fields}) => `line ${line} has ${fields.length}`)),
    'a comma inside a field needs quotes around the field',
  );
}

function splitRows(text: string, name: string): readonly RawRow[] {
  const rows: RawRow[] = [];
  let position = 0;
  let line = 1;
  while (position < text.length) {
    const startLine = line;
    const startPosition = position;
    const fields: string[] = [];
    for (;;) {
      const field =
        text[position] === '"' ? quotedField(text, position, line, name) : plainField(text, position, line, name);
      fields.push(field.value);
      position = field.end;
      line += field.lineBreaks;
      if (text[position] !== ',') break;
      position++;
    }
    const isEmpty = position === startPosition;
    if (text[position] === '\r') position++;
    if (text[position] === '\n') position++;
    line++;
    if (!isEmpty) rows.push({line: startLine, fields});
  }
  return rows;
}

interface Field {
  readonly value: string;
  /** Position of the comma, the line break or the end of the text after the field. */
  readonly end: number;
  readonly lineBreaks: number;
}

function plainField(text: string, start: number, line: number, name: string): Field {
  let end = start;
  while (end < text.length && text[end] !== ',' && !isLineEnd(text, end)) {
    if (text[end] === '"') {
      throw new StageError(`${name}, line ${line}: a quote inside a field that does not start with one`);
    }
    end++;
  }
  return {value: text.slice(start, end), end, lineBreaks: 0};
}

function quotedField(text: string, start: number, line: number, name: string): Field {
  let value = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) throw new StageError(`${name}, line ${line}: a quoted field is never closed`);
    value += text.slice(from, quote);
    if (text[quote + 1] === '"') {
      value += '"';
      from = quote + 2;
      continue;
    }
    const end = quote + 1;
    const lineBreaks = value.split('\n').length - 1;
    if (end < text.length && text[end] !== ',' && !isLineEnd(text, end)) {
      throw new StageError(`${name}, line ${line + lineBreaks}: text after the closing quote of a field`);
    }
    return {value, end, lineBreaks};
  }
}

function isLineEnd(text: string, position: number): boolean {
  return text[position] === '\n' || (text[position] === '\r' && (text[position + 1] ?? '\n') === '\n');
}

/** One line of a csv file, with its line end. */
export function encodeCsvRow(row: readonly (string | number)[]): string {
  const line = row.map(encodeField).join(',');
  // A lone empty field would read back as an empty line.
  return `${line === '' ? '""' : line}\n`;
}

function encodeField(value: string | number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} cannot be written to a csv`);
  const text = String(value);
  return /[",\r\n\uFEFF]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    throw new StageError(`${name} is not UTF-8 text`, 'convert it, for instance with iconv');
  }
}
