import type {Failure} from '../core/failure.ts';
import {printable} from './text-width.ts';

/** One test case of a JUnit report: what became of one node. */
export interface JunitCase {
  readonly classname: string;
  readonly name: string;
  readonly wallMs: number;
  /** Absent when it passed. An `error` is one that is not the case's own, such as a run that did not come to it. */
  readonly trouble?:
    | {readonly kind: 'failure' | 'error'; readonly type: string; readonly message: string; readonly text: string}
    | {readonly kind: 'skipped'; readonly message: string};
}

export interface JunitSuite {
  readonly name: string;
  readonly wallMs: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly host: string;
  readonly cases: readonly JunitCase[];
  /** What is told of the suite as a whole. */
  readonly notes?: readonly string[];
}

/**
 * A suite as JUnit XML: what CI servers make of the format of Ant's task differs, and this is the part that they share.
 * Texts are made safe for XML 1.0.
 */
export function junitText({name, wallMs, startedAt, host, cases, notes = []}: JunitSuite): string {
  const count = (kind: string): number => cases.filter(({trouble}) => trouble?.kind === kind).length;
  const totals: Attributes = {
    name,
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: seconds(wallMs),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(totals)}>`,
    `  <testsuite${attributes({...totals, timestamp: startedAt.replace(/\.\d+Z?$|Z$/, ''), hostname: host})}>`,
    '    <properties/>',
    ...cases.flatMap(caseLines),
    '    <system-out/>',
    notes.length === 0 ? '    <system-err/>' : `    <system-err>${xmlText(notes.join('\n\n'))}</system-err>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** What ended a command before it came to its cases: one case for each problem. */
export function failureCases(failures: readonly Failure[]): readonly JunitCase[] {
  return failures.map((failure): JunitCase => {
    const {code, node, message, diagnostics = []} = failure;
    const [first] = diagnostics;
    const place = first?.range === undefined ? '' : `${first.range.file}:${first.range.line}: `;
    return {
      classname: node ?? first?.range?.file ?? 'pipeline.yaml',
      name: code,
      wallMs: 0,
      trouble: {kind: 'error', type: code, message: place + (first?.message ?? message), text: failureBody(failure)},
    };
  });
}

/** A failure in full, without colour: for a reader who has nothing but the report. */
export function failureBody({message, hint, diagnostics = [], stack, reproduce}: Failure): string {
  const lines = [
    message,
    ...diagnostics.flatMap(({frame, message: own, hint: ownHint}) => [
      ...(own === message ? [] : [own]),
      ...(frame === undefined ? [] : [frame]),
      ...(ownHint === undefined || ownHint === hint ? [] : [`hint: ${ownHint}`]),
    ]),
    ...(stack === undefined ? [] : [stack]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ...(reproduce === undefined ? [] : [`reproduce: ${reproduce}/reproduce.sh`]),
  ];
  return lines.join('\n');
}

function caseLines({classname, name, wallMs, trouble}: JunitCase): readonly string[] {
  const open = `    <testcase${attributes({classname: nameText(classname), name: nameText(name), time: seconds(wallMs)})}`;
  if (trouble === undefined) return [`${open}/>`];
  if (trouble.kind === 'skipped') return [`${open}>`, `      <skipped${attributes({message: trouble.message})}/>`, end];
  const {kind, type, message, text} = trouble;
  return [`${open}>`, `      <${kind}${attributes({message, type})}>${xmlText(text)}</${kind}>`, end];
}

const end = '    </testcase>';

/** Readers drop a case without a name, which is what is left of one of nothing but control characters. */
function nameText(text: string): string {
  return printable(text) === '' ? '?' : text;
}

type Attributes = Readonly<Record<string, string | number>>;

function attributes(values: Attributes): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${attributeText(String(value))}"`)
    .join('');
}

/** Line breaks would be read as spaces. */
function attributeText(text: string): string {
  return xmlText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

/** Without escape sequences and what XML 1.0 cannot hold: control characters, lone surrogates, U+FFFE and U+FFFF. */
function xmlText(text: string): string {
  return Buffer.from(printable(text), 'utf8')
    .toString('utf8')
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Seconds with milliseconds. */
function seconds(ms: number): string {
  return (Number.isFinite(ms) && ms > 0 ? ms / 1000 : 0).toFixed(3);
}
