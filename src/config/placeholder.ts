import {err, ok, type Result} from '../core/result.ts';
import type {Problem} from './problem.ts';

/** UTF-16 offsets in a text. */
type Span = readonly [start: number, end: number];

/** One `${a.b.c}` in a text. */
export interface Placeholder {
  /** As written, with the braces. */
  readonly text: string;
  /** The words between the dots; those before the first bracket where there is one. */
  readonly parts: readonly string[];
  /** What follows from the first bracket on; empty without one. Only variables have it. */
  readonly steps: readonly Step[];
  readonly span: Span;
}

/** One step from a value inside `vars` to a member of it. */
export type Step =
  | {readonly kind: 'member'; readonly name: string; readonly span: Span}
  /** `[matrix.axis]`: the member that the node's own value of an axis names. */
  | {readonly kind: 'axis'; readonly axis: string; readonly span: Span}
  /** `[*]`: every member. */
  | {readonly kind: 'all'; readonly span: Span};

/** Whether the reference chooses members by a node's own values of its axes. */
export function usesAxes({steps}: Placeholder): boolean {
  return steps.some(({kind}) => kind === 'axis');
}

/** Why a text between `${` and `}` refers to nothing. */
export type Malformed = Required<Pick<Problem, 'message' | 'span'>> & {readonly hint: string};

const wordsPattern = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;
// Members of variables are often called by what they stand for, such as h1+h2.
const variablePattern = /^vars\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_+-]+)*$/;
const memberPattern = /\.([A-Za-z0-9_+-]+)/y;
const axisPattern = /^matrix\.([A-Za-z][A-Za-z0-9_-]*)$/;

const noSteps: readonly Step[] = [];
const generalHint = 'a reference is `${vars.name}` or `${matrix.axis}`; write `$${` for a literal `${`';

/**
 * Reads one `${…}`. Says nothing about whether what it names exists.
 *
 * @param text - with the braces; without the closing one when there is none
 * @param start - where it stands in the whole text, as a UTF-16 offset
 */
export function parsePlaceholder(text: string, start: number): Result<Placeholder, Malformed> {
  const span: Span = [start, start + text.length];
  if (!text.endsWith('}')) return err({message: '`${` is not closed by `}`', hint: generalHint, span});
  const inner = text.slice(2, -1).trim();
  if (isPath(inner)) return ok({text, parts: inner.split('.'), steps: noSteps, span});
  const open = inner.indexOf('[');
  const head = inner.slice(0, open);
  const message = `\`${text}\` is not a reference; expressions are references, never code`;
  if (open < 0 || !isPath(head)) return err({message, hint: generalHint, span});
  const offset = start + text.indexOf(inner);
  if (!variablePattern.test(head)) {
    const hint = 'a member in brackets is one of a variable: `${vars.name[matrix.axis]}`';
    return err({message: `\`${head}\` has no members in brackets`, hint, span: [offset, offset + inner.length]});
  }
  const steps = readSteps(inner, open, offset);
  if (steps === undefined) return err({message, hint: generalHint, span});
  return steps.ok ? ok({text, parts: head.split('.'), steps: steps.value, span}) : steps;
}

function isPath(text: string): boolean {
  return wordsPattern.test(text) || variablePattern.test(text);
}

/** Undefined when the text is like no reference at all. */
function readSteps(inner: string, from: number, offset: number): Result<readonly Step[], Malformed> | undefined {
  const steps: Step[] = [];
  for (let at = from; at < inner.length;) {
    if (inner[at] !== '[') {
      memberPattern.lastIndex = at;
      const found = memberPattern.exec(inner);
      if (!found) return undefined;
      const end = at + found[0].length;
      steps.push({kind: 'member', name: found[1] ?? '', span: [offset + at + 1, offset + end]});
      at = end;
      continue;
    }
    const close = inner.indexOf(']', at);
    if (close < 0) {
      const hint = 'in brackets stands an axis, `[matrix.AXIS]`, or `[*]`';
      return err({message: 'the bracket is not closed by `]`', hint, span: [offset + at, offset + inner.length]});
    }
    const span: Span = [offset + at, offset + close + 1];
    const content = inner.slice(at + 1, close).trim();
    const axis = axisPattern.exec(content)?.[1];
    if (axis !== undefined) steps.push({kind: 'axis', axis, span});
    else if (content === '*') steps.push({kind: 'all', span});
    else return err(wrongBracket(content, span));
    at = close + 1;
  }
  return ok(steps);
}

function wrongBracket(content: string, span: Span): Malformed {
  const message = `\`[${content}]\` chooses no member: in brackets stands an axis, \`[matrix.AXIS]\`, or \`[*]\``;
  const bare = content.replace(/^(["'])(.*)\1$/, '$2');
  const fixed = /^[A-Za-z0-9_+-]+$/.test(bare) ? bare : 'NAME';
  const hint = `a member that is the same for all variants follows a dot: \`.${fixed}\``;
  return {message, hint, span};
}
