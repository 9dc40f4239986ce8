import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Event} from '../../../src/core/events.ts';
import {failure} from '../../../src/core/failure.ts';
import {chromeTrace, type TraceEvent} from '../../../src/report/chrome-trace.ts';
import {traceProblems} from '../../support/trace.ts';
import {event, finished, runFinished, runStarted, started} from './events.ts';

type Span = Extract<TraceEvent, {ph: 'X'}>;

function spansOf(events: readonly Event[]): readonly Span[] {
  const trace = chromeTrace(events);
  expect(traceProblems(trace)).toEqual([]);
  return trace.traceEvents.filter((each) => each.ph === 'X');
}

function slice(seconds: number, key: string, rest: object = {}): Event {
  const counts = {done: 1, total: 9};
  return event('slice-finished', seconds, {node: 'a', key, outcome: 'executed', wallMs: 1, ...counts, ...rest});
}

describe('chromeTrace', () => {
  test('a node is a span in microseconds from the start of the run, with its outcome and reason', () => {
    const spans = spansOf([
      runStarted,
      started(1, 'a', {reasons: [{kind: 'forced'}], engine: 'wasm'}),
      finished(2.5, 'a', 'executed', {metrics: {map: 0.5}, fingerprint: 'f'}),
      runFinished(3, 'done'),
    ]);
    expect(spans).toEqual([
      {
        ph: 'X',
        name: 'a',
        cat: 'node',
        ts: 1_000_000,
        dur: 1_500_000,
        pid: 2,
        tid: 2,
        args: {
          outcome: 'executed',
          reason: 'forced',
          reasons: ['forced'],
          engine: 'wasm',
          fingerprint: 'f',
          metrics: {map: 0.5},
        },
      },
    ]);
  });

  test('metrics that a node has not are not mentioned', () => {
    const [span] = spansOf([runStarted, started(0, 'a'), finished(1, 'a', 'executed', {metrics: {}})]);
    expect(JSON.stringify(span?.args)).not.toContain('metrics');
  });

  test('nodes that run at the same time have threads of their own, and a thread is used again', () => {
    const spans = spansOf([
      runStarted,
      started(0, 'a'),
      started(1, 'b'),
      finished(2, 'a', 'executed'),
      started(2, 'c'),
      started(2, 'd', {device: 'gpu:0'}),
      finished(4, 'b', 'failed'),
      finished(5, 'c', 'executed'),
      finished(5, 'd', 'executed'),
    ]);
    expect(spans.map(({name, pid, tid}) => [name, pid, tid])).toEqual([
      ['a', 2, 2],
      ['c', 2, 2],
      ['b', 2, 3],
      ['d', 3, 4],
    ]);
  });

  test('what needed no job is a moment on the thread of the run, and so are notices', () => {
    const problem = failure('blob-missing', 'It is gone.');
    const {traceEvents} = chromeTrace([
      runStarted,
      finished(1, 'a', 'cached'),
      event('node-waiting', 2, {node: 'b', holder: 'run x'}),
      event('warning', 3, {failure: problem}),
      event('interrupted', 4, {times: 1}),
    ]);
    expect(traceEvents.flatMap((each) => (each.ph === 'i' ? [[each.name, each.ts, each.s, each.args]] : []))).toEqual([
      ['a', 1_000_000, 't', {outcome: 'cached'}],
      ['b waits', 2_000_000, 't', {holder: 'run x'}],
      ['blob-missing', 3_000_000, 't', {message: 'It is gone.'}],
      ['interrupted', 4_000_000, 'g', {times: 1}],
    ]);
  });

  test('slices lie within their node, and what ended together is one batch', () => {
    const spans = spansOf([
      runStarted,
      started(1, 'a', {slices: {total: 4, stale: 3}}),
      slice(1, 'k0', {outcome: 'cached'}),
      slice(2, 'k1'),
      slice(3, 'k2'),
      slice(3, 'k3', {outcome: 'failed'}),
      finished(4, 'a', 'failed'),
    ]);
    expect(spans.map(({name, cat, ts, dur}) => [name, cat, ts / 1e6, dur / 1e6])).toEqual([
      ['a', 'node', 1, 3],
      ['k1', 'slices', 1, 1],
      ['2 slices', 'slices', 2, 1],
    ]);
    expect(spans[0]?.args).toMatchObject({slices: '3 of 4 stale'});
    expect(spans[2]?.args).toEqual({node: 'a', first: 'k2', last: 'k3', executed: 1, failed: 1});
  });

  test('what took no time shares its start with nothing on its thread', () => {
    const spans = spansOf([
      runStarted,
      started(1, 'b'),
      finished(1, 'b', 'executed'),
      started(1, 'a'),
      slice(1, 'k1'),
      slice(2, 'k2'),
      finished(3, 'a', 'executed'),
    ]);
    expect(spans.map(({name, tid, dur}) => [name, tid, dur / 1e6])).toEqual([
      ['b', 2, 0],
      ['a', 3, 2],
      ['2 slices', 3, 1],
    ]);
  });

  test('a clock that was set back meanwhile moves no slice out of its node', () => {
    const spans = spansOf([runStarted, started(2, 'a'), slice(1, 'k1'), slice(3, 'k2'), finished(1, 'a', 'executed')]);
    expect(spans.map(({ts, dur}) => [ts / 1e6, dur / 1e6])).toEqual([
      [2, 0],
      [2, 0],
    ]);
  });

  test('a hundred thousand slices are some hundred batches that miss none', () => {
    const slices = Array.from({length: 100_000}, (_, index) => slice(1 + index / 1000, `k${index}`));
    const spans = spansOf([runStarted, started(1, 'a'), ...slices, finished(200, 'a', 'executed')]).slice(1);
    expect(spans.length).toBeLessThanOrEqual(200);
    expect(spans.reduce((sum, {args}) => sum + (args['executed'] as number), 0)).toBe(100_000);
  });

  test('a retried node is one span, and one that never ended lasts to the last event', () => {
    const spans = spansOf([
      runStarted,
      started(1, 'a'),
      event('node-retry', 2, {node: 'a', attempt: 1, of: 2, failure: failure('stage-failed', 'no')}),
      started(2, 'a', {attempt: 2}),
      event('node-progress', 5, {node: 'a', fraction: 0.5}),
    ]);
    expect(spans).toMatchObject([{ts: 1e6, dur: 4e6, args: {outcome: 'unfinished', retries: 1}}]);
  });

  test('nothing gives a trace of nothing', () => {
    expect(traceProblems(chromeTrace([]))).toEqual([]);
  });

  test('whatever ran when, spans on a thread are apart or nested', () => {
    const node = fc.record({
      from: fc.integer({min: 0, max: 50}),
      span: fc.integer({min: 0, max: 20}),
      device: fc.constantFrom('cpu', 'gpu:0', 'gpu:1'),
      slices: fc.array(fc.integer({min: -5, max: 25}), {maxLength: 5}),
    });
    fc.assert(
      fc.property(fc.array(node, {maxLength: 20}), (nodes) => {
        const events = nodes.flatMap(({from, span, device, slices}, index) => [
          started(from, `n${index}`, {device}),
          ...slices.map((at, key) => slice(from + at, `k${key}`, {node: `n${index}`})),
          finished(from + span, `n${index}`, 'executed'),
        ]);
        // As a log has them: by time, and the start of a node before its end.
        events.sort((a, b) => a.at - b.at);
        expect(traceProblems(chromeTrace([runStarted, ...events]))).toEqual([]);
      }),
    );
  });
});
