import type {Diagnostic, Failure} from '../core/failure.ts';
import type {Paint} from './paint.ts';
import {printable} from './text-width.ts';

/**
 * A failure for people: `error[code]: node: message`, then hint, diagnostics with their code frames, and where it can be
 * reproduced. Without a trailing newline.
 */
export function failureText(failure: Failure, paint: Paint, word: 'error' | 'warning' = 'error'): string {
  const lines: string[] = [];
  const diagnostics = failure.diagnostics ?? [];
  const colour = word === 'error' ? paint.bad : paint.warn;
  const where = failure.node === undefined ? '' : `${paint.bold(failure.node)}: `;
  lines.push(`${colour(`${word}[${failure.code}]`)}: ${where}${indentRest(printable(failure.message))}`);
  if (failure.hint !== undefined) lines.push(hintLine(failure.hint, paint));
  for (const diagnostic of diagnostics) lines.push('', diagnosticText(diagnostic, paint));
  if (failure.reproduce !== undefined) lines.push(`  ${paint.dim('reproduce:')} ${failure.reproduce}`);
  if (failure.code === 'internal-error' && failure.stack !== undefined) lines.push(paint.dim(failure.stack));
  return lines.join('\n');
}

/** One configuration problem: message, place, frame, hint. */
export function diagnosticText(diagnostic: Diagnostic, paint: Paint): string {
  const {code, message, hint, range, frame} = diagnostic;
  const place = range === undefined ? '' : `${paint.note(`${range.file}:${range.line}:${range.column}`)}: `;
  const lines = [`${place}${paint.bad(`error[${code}]`)}: ${message}`];
  if (frame !== undefined) lines.push(frame.replace(/\n+$/, ''));
  if (hint !== undefined) lines.push(hintLine(hint, paint));
  return lines.join('\n');
}

function hintLine(hint: string, paint: Paint): string {
  return `  ${paint.note('hint:')} ${indentRest(printable(hint))}`;
}

function indentRest(text: string): string {
  return text.replace(/\n+$/, '').replaceAll('\n', '\n    ');
}
