import {placeText} from '../core/diagnostic-text.ts';
import type {Diagnostic, Failure} from '../core/failure.ts';
import type {Paint} from './paint.ts';
import {printable} from './text-width.ts';

/**
 * A failure for people: `error: node: message [code]`, then hint, code frames, and where it can be reproduced; the colour
 * twin of `renderDiagnostics`. Without a trailing newline.
 */
export function failureText(failure: Failure, paint: Paint, word: 'error' | 'warning' = 'error'): string {
  const {code, message, hint, node, diagnostics = [], reproduce, stack} = failure;
  if (diagnostics.length > 0) {
    // The first is the problem itself; others are places that belong to it.
    return diagnostics.map((each, index) => diagnosticText(each, index > 0, paint, word)).join('\n');
  }
  const colour = word === 'error' ? paint.bad : paint.warn;
  const where = node === undefined || message.startsWith(node) ? '' : `${paint.bold(node)}: `;
  const [first = '', ...rest] = printable(message).trimEnd().split('\n');
  const head = first.replace(announcement, '');
  const lines = [
    `${colour(`${word}:`)} ${where}${head} ${paint.dim(`[${code}]`)}${rest.length > 0 ? first.slice(head.length) : ''}`,
  ];
  lines.push(...rest.map((line) => `  ${line}`));
  if (stack !== undefined) lines.push(paint.dim(code === 'internal-error' ? stack : nearestFrames(stack)));
  if (hint !== undefined) lines.push(hintLine(hint, paint));
  if (reproduce !== undefined) lines.push(`  ${paint.note('reproduce:')} ${reproduce}/reproduce.sh`);
  return lines.join('\n');
}

/** What happened, on one line: a message without the lines that it quotes. */
export function headline(message: string): string {
  const [first = ''] = printable(message).split('\n');
  return first.replace(announcement, '');
}

/** How a message leads over to lines that a program printed. */
const announcement = /; last lines:$/;

function diagnosticText(
  {code, message, hint, range, frame}: Diagnostic,
  related: boolean,
  paint: Paint,
  word: 'error' | 'warning',
): string {
  const colour = word === 'error' ? paint.bad : paint.warn;
  const place = range === undefined ? '' : `${paint.note(placeText(range))}: `;
  const lines = [related ? `${place}${message}` : `${place}${colour(`${word}:`)} ${message} ${paint.dim(`[${code}]`)}`];
  if (frame !== undefined) lines.push(frame.replace(/\n+$/, ''));
  if (hint !== undefined) lines.push(hintLine(hint, paint));
  return lines.join('\n');
}

/** Where a stage threw: enough to find the line; the log of the run has all of it. */
function nearestFrames(stack: string): string {
  return stack.split('\n').slice(0, mostFrames).join('\n');
}

const mostFrames = 3;

function hintLine(hint: string, paint: Paint): string {
  return `  ${paint.note('hint:')} ${indentRest(printable(hint))}`;
}

function indentRest(text: string): string {
  return text.replace(/\n+$/, '').replaceAll('\n', '\n    ');
}
