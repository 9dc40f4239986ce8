import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Event} from '../../../src/core/events.ts';
import {pageTimeline} from '../../../src/report/page-timeline.ts';
import {event, finished, runFinished, runStarted, started} from './events.ts';

const none = (): readonly string[] => [];

function reading(edges: Readonly<Record<string, readonly string[]>>): (node: string) => readonly string[] {
  return (node) => edges[node] ?? [];
}

function job(node: string, from: number, to: number, device = 'cpu'): readonly Event[] {
  return [started(from, node, {device}), finished(to, node, 'executed')];
}

function run(...jobs: readonly (readonly Event[])[]): readonly Event[] {
  const events = [runStarted, ...jobs.flat()].sort((a, b) => a.at - b.at);
  return [...events, runFinished((events.at(-1)?.at ?? 0) / 1000, 'done')];
}

describe('pageTimeline', () => {
  test('each device has lanes of spans that do not overlap, from the start of the run', () => {
    const events = run(job('a', 1, 3), job('b', 2, 4), job('c', 3, 5), job('g', 1, 2, 'gpu0'));
    expect(pageTimeline(events, none)).toMatchObject({
      endMs: 5000,
      lanes: [
        {name: 'cpu, lane 1', spans: [{node: 'a', fromMs: 1000, toMs: 3000, outcome: 'executed'}, {node: 'c'}]},
        {name: 'cpu, lane 2', spans: [{node: 'b'}]},
        {name: 'gpu0', spans: [{node: 'g'}]},
      ],
    });
  });

  test('a node of slices is one span that says how many it ran; one that did not end lasts to the end', () => {
    const slice = (key: string): Event =>
      event('slice-finished', 2, {node: 'a', key, outcome: 'executed', wallMs: 1, done: 1, total: 9});
    const events = [runStarted, started(1, 'a', {slices: {total: 9, stale: 3}}), slice('x'), slice('y')];
    expect(pageTimeline(events, none).lanes).toEqual([
      {name: 'cpu', spans: [{node: 'a', slices: 2, fromMs: 1000, toMs: 2000, outcome: 'cancelled'}]},
    ]);
  });

  test('without events there is nothing', () => {
    expect(pageTimeline([], none)).toEqual({endMs: 0, lanes: [], criticalPath: []});
  });

  test('work that begins while the last of its lane is still being stored is on the same lane', () => {
    const [lane, ...others] = pageTimeline(run(job('a', 0, 1.01), job('b', 1, 2)), none).lanes;
    expect(lane?.spans.map(({node}) => node)).toEqual(['a', 'b']);
    expect(others).toEqual([]);
  });
});

describe('the critical path', () => {
  test('goes through the input that came last', () => {
    const events = run(job('short', 0, 1), job('long', 0, 3), job('end', 3, 4));
    expect(pageTimeline(events, reading({end: ['short', 'long']})).criticalPath).toEqual(['long', 'end']);
  });

  test('goes through what kept the device busy, when the inputs had long been there', () => {
    const events = run(job('input', 0, 1), job('hog', 1, 5), job('end', 5, 6));
    expect(pageTimeline(events, reading({end: ['input'], hog: []})).criticalPath).toEqual(['input', 'hog', 'end']);
  });

  test('goes through what gave its place back while its result was still being stored', () => {
    const events = run(job('hog', 0, 5.01), job('end', 5, 6));
    expect(pageTimeline(events, none).criticalPath).toEqual(['hog', 'end']);
  });

  test('another device keeps nobody waiting', () => {
    const events = run(job('input', 0, 1), job('hog', 1, 5, 'gpu0'), job('end', 5, 6));
    expect(pageTimeline(events, reading({end: ['input']})).criticalPath).toEqual(['input', 'end']);
  });

  test('is a chain of spans, each begun before the next, whatever the run', () => {
    const jobs = fc.array(fc.tuple(fc.nat(50), fc.nat(20), fc.constantFrom('cpu', 'gpu0')), {maxLength: 12});
    fc.assert(
      fc.property(jobs, fc.array(fc.tuple(fc.nat(11), fc.nat(11)), {maxLength: 20}), (list, edges) => {
        const events = run(...list.map(([from, long, device], i) => job(`n${i}`, from, from + long, device)));
        const producers = (node: string): readonly string[] =>
          edges.flatMap(([to, from]) => (node === `n${to}` ? [`n${from}`] : []));
        const {criticalPath: path} = pageTimeline(events, producers);
        const begins = path.map((node) => list[Number(node.slice(1))]![0]);
        expect(path.length > 0).toBe(list.length > 0);
        expect([...begins].sort((a, b) => a - b)).toEqual(begins);
        expect(new Set(path).size).toBe(path.length);
      }),
    );
  });
});
