import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {failure} from '../../../src/core/failure.ts';
import {failureCases, junitText, type JunitSuite} from '../../../src/report/junit.ts';
import {RunCases} from '../../../src/report/run-cases.ts';
import {junitProblems, parseXml} from '../../support/xml.ts';
import {event, finished, planned, runFinished, runStarted, started} from './events.ts';

const suite: JunitSuite = {name: 's', wallMs: 0, startedAt: '2026-01-01T00:00:00.000Z', host: 'h', cases: []};

describe('any text is safe in XML', () => {
  test.each([
    '<&>"\'',
    'a]]>b',
    '\u0000\u0008\u000b\u001f\u007f\u0085',
    '\ud800 \udfff',
    '\ufffe\uffff',
    '\r\u0001',
    '\u001b[31mred\u001b[0m',
    'ä 😀',
    'a\nb\tc',
  ])('%j', (text) => checkText(text));

  test('whatever it is', () => {
    fc.assert(fc.property(fc.string({unit: 'binary', maxLength: 40}), checkText));
    fc.assert(
      fc.property(fc.array(fc.integer({min: 0, max: 0xffff})), (units) => checkText(String.fromCharCode(...units))),
    );
  });

  function checkText(text: string): void {
    const trouble = {kind: 'failure' as const, type: 'stage-failed', message: text, text};
    const name = `x${text}`;
    const xml = parseXml(junitText({...suite, cases: [{classname: name, name, wallMs: 1, trouble}], notes: [text]}));
    expect(junitProblems(xml)).toEqual([]);
  }

  test('letters, line breaks and marks come through; escape sequences and controls do not', () => {
    const text = 'ä 😀 <b>&amp; "q"\n]]>\u001b[1m\u0007!';
    const trouble = {kind: 'error' as const, type: 't', message: text, text};
    const root = parseXml(junitText({...suite, cases: [{classname: 'c', name: 'n', wallMs: NaN, trouble}]}));
    const error = root.children[0]?.children.find(({name}) => name === 'testcase')?.children[0];
    expect([error?.text, error?.attributes['message']]).toEqual(Array(2).fill('ä 😀 <b>&amp; "q"\n]]>!'));
  });
});

describe('a run as test cases', () => {
  const run = new RunCases();
  const problem = failure('stage-failed', 'it broke', {hint: 'mend it', stack: '    at run (x.ts:1:2)'});
  for (const each of [
    runStarted,
    planned(0, {a: 'cached', 'b[x=1]': 'will-run', 'b[x=2]': 'will-run', c: 'may-run', d: 'may-run', e: 'will-run'}),
    finished(1, 'a', 'cached', {wallMs: 0}),
    started(1, 'b[x=1]'),
    event('node-log', 1, {
      node: 'b[x=1]',
      stream: 'stdout',
      text: `${Array.from({length: 300}, (_, at) => `line ${at}`).join('\n')}\n`,
    }),
    event('node-log', 1, {node: 'b[x=1]', stream: 'stdout', text: 'one\n', slice: 'k'}),
    finished(2, 'b[x=1]', 'failed', {failure: problem}),
    finished(2, 'b[x=2]', 'executed'),
    finished(2, 'c', 'blocked'),
    finished(2, 'd', 'cancelled'),
    event('warning', 2, {failure: failure('blob-corrupt', 'a blob is damaged')}),
    runFinished(2, 'failed'),
  ]) {
    run.emit(each);
  }

  test('one for each planned node, with what became of it', () => {
    const xml = parseXml(junitText(run.suite('here', [])));
    expect(junitProblems(xml)).toEqual([]);
    const [only] = xml.children;
    expect(only?.attributes).toMatchObject({
      tests: '6',
      failures: '1',
      errors: '0',
      skipped: '3',
      time: '2.000',
      hostname: 'here',
    });
    const cases = only?.children.filter(({name}) => name === 'testcase') ?? [];
    expect(
      cases.map(({attributes, children}) => [attributes['classname'], attributes['name'], children[0]?.name]),
    ).toEqual([
      ['a', 'a', undefined],
      ['b', 'x=1', 'failure'],
      ['b', 'x=2', undefined],
      ['c', 'c', 'skipped'],
      ['d', 'd', 'skipped'],
      ['e', 'e', 'skipped'],
    ]);
    const failed = cases[1]?.children[0];
    expect(failed?.attributes).toEqual({message: 'it broke', type: 'stage-failed'});
    expect(failed?.text).toMatch(/^it broke\n {4}at run \(x\.ts:1:2\)\nhint: mend it\n\nlast output:\nline 101\n/);
    expect(failed?.text.endsWith('line 299\nk | one')).toBe(true);
    expect(only?.children.at(-1)?.text).toBe('a blob is damaged');
  });

  test('the message of a failure is one line, without what announces lines of output', () => {
    const run = new RunCases();
    run.emit(planned(0, {a: 'will-run'}));
    const message = 'sh ended with exit code 3; last lines:\n  oh no';
    run.emit(finished(1, 'a', 'failed', {failure: failure('command-failed', message)}));
    expect(run.suite('h', []).cases[0]?.trouble).toMatchObject({message: 'sh ended with exit code 3'});
  });

  test('what ended a command before is an error', () => {
    const range = {file: 'pipeline.yaml', line: 3, column: 1};
    const cases = failureCases([
      failure('unknown-stage', 'unknown stage', {
        diagnostics: [{code: 'unknown-stage', message: 'unknown stage', range, frame: '> 3 | x'}],
      }),
    ]);
    expect(cases).toEqual([
      {
        classname: 'pipeline.yaml',
        name: 'unknown-stage',
        wallMs: 0,
        trouble: {
          kind: 'error',
          type: 'unknown-stage',
          message: 'pipeline.yaml:3: unknown stage',
          text: 'unknown stage\n> 3 | x',
        },
      },
    ]);
  });
});
