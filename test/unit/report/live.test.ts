import {describe, expect, test} from 'vitest';
import type {Event} from '../../../src/core/events.ts';
import {liveReporter} from '../../../src/report/live.ts';
import {makePaint} from '../../../src/report/paint.ts';
import {textWidth} from '../../../src/report/text-width.ts';
import {FakeTerminal} from '../../support/fake-terminal.ts';
import {event, finished, planned, runFinished, runStarted, started} from './events.ts';

/** A live view on a terminal that exists only in memory, and a clock that is moved by hand. */
function stage(columns: number, rows: number, verbose = false) {
  const terminal = new FakeTerminal(columns, rows);
  let now = 0;
  let tick: (() => void) | undefined;
  const reporter = liveReporter({
    terminal,
    paint: makePaint(false),
    now: () => now,
    every(ms, call) {
      expect(ms).toBeGreaterThanOrEqual(100);
      tick = call;
      return () => (tick = undefined);
    },
    producersOf: () => [],
    verbose,
  });
  return {
    terminal,
    reporter,
    ticking: () => tick !== undefined,
    emit(...events: readonly Event[]) {
      for (const each of events) {
        now = Math.max(now, each.at);
        reporter.emit(each);
      }
    },
    drawAt(seconds: number) {
      now = seconds * 1000;
      tick?.();
      return terminal.screen();
    },
  };
}

const begin: readonly Event[] = [
  runStarted,
  planned(
    0,
    {demo: 'cached', waveforms: 'will-run', 'train[fold=1]': 'will-run', tables: 'may-run'},
    {
      waveforms: 5000,
      'train[fold=1]': 12_000,
      tables: 1000,
    },
  ),
  finished(0, 'demo', 'cached'),
];

describe('live view', () => {
  test('a node that waits in the queue of a cluster is not running, and its time begins when it does', () => {
    const view = stage(100, 24);
    view.emit(
      ...begin,
      started(0, 'waveforms', {expectedMs: 5000}),
      event('node-queue', 0, {node: 'waveforms', waits: true}),
    );
    expect(view.drawAt(600)).toContain('  waveforms  cpu  queued\n0/3 nodes · 0 running · 1 queued · ');
    view.emit(event('node-queue', 700, {node: 'waveforms', waits: false}));
    expect(view.drawAt(702)).toContain('  waveforms  cpu  2 s / 5 s\n0/3 nodes · 1 running · ');
    view.emit(finished(704, 'waveforms', 'executed'));
    expect(view.drawAt(704)).toContain('1/3 nodes · 0 running');
  });

  test('shows running nodes, counts and the time left', () => {
    const view = stage(100, 24);
    view.emit(
      ...begin,
      started(0, 'waveforms', {slices: {total: 110, stale: 10}, expectedMs: 5000}),
      started(0, 'train[fold=1]', {expectedMs: 12_000, device: 'gpu0'}),
      event('slice-finished', 2, {node: 'waveforms', key: 'a', outcome: 'executed', wallMs: 3, done: 105, total: 110}),
      event('node-progress', 3, {node: 'train[fold=1]', fraction: 0.25, message: 'epoch 3 of 12'}),
    );
    expect(view.drawAt(4)).toMatchInlineSnapshot(`
      "2 to run, 1 may run, 1 cached
        waveforms      cpu    4 s / 5 s  ━━━━━━━━────────  5/10
        train[fold=1]  gpu0  4 s / 12 s  ━━━━────────────  25 %  epoch 3 of 12
      0/3 nodes · 2 running · 1 cached or up to date · 4 s · about 12 s left"
    `);
  });

  test('a failure scrolls away above the window', () => {
    const view = stage(70, 24);
    view.emit(...begin, started(0, 'waveforms'), started(0, 'train[fold=1]'));
    view.drawAt(1);
    view.emit(
      event('node-log', 1, {node: 'waveforms', stream: 'stderr', text: 'bad header\n'}),
      finished(2, 'waveforms', 'failed', {
        failure: {code: 'stage-failed', message: 'not a WAV file', hint: 'check it'},
      }),
    );
    expect(view.drawAt(3)).toMatchInlineSnapshot(`
      "2 to run, 1 may run, 1 cached
      [1/3] waveforms failed after 2.0 s (cpu)
      error: waveforms: not a WAV file [stage-failed]
        hint: check it
        last output:
          bad header
        train[fold=1]  cpu  3 s
      1/3 nodes · 1 running · 1 failed · 1 cached or up to date · 3 s · at…"
    `);
  });

  test('the window is gone and the cursor back when the run ends, and nothing is drawn after', () => {
    const view = stage(70, 24);
    view.emit(...begin, started(0, 'waveforms'));
    view.drawAt(1);
    expect(view.terminal.cursorVisible).toBe(false);
    view.emit(runFinished(2, 'done'));
    expect(view.ticking()).toBe(false);
    expect(view.terminal.cursorVisible).toBe(true);
    expect(view.drawAt(3)).toBe('2 to run, 1 may run, 1 cached');
  });

  test('close in the middle of a run, as at a crash, gives the cursor back', () => {
    const view = stage(70, 24);
    view.emit(...begin, started(0, 'waveforms'));
    view.drawAt(1);
    view.reporter.close();
    view.reporter.close();
    expect(view.terminal.cursorVisible).toBe(true);
    expect(view.terminal.screen()).toBe('2 to run, 1 may run, 1 cached');
  });

  test('suspend takes the window away, resume brings it back', () => {
    const view = stage(70, 24);
    view.emit(...begin, started(0, 'waveforms'));
    view.drawAt(1);
    view.reporter.suspend();
    expect(view.terminal.cursorVisible).toBe(true);
    expect(view.terminal.screen()).not.toContain('waveforms');
    view.reporter.resume();
    expect(view.drawAt(2)).toContain('waveforms');
  });

  test.each([
    [20, 5],
    [40, 3],
    [200, 10],
  ])('never wider or taller than a terminal of %i columns and %i rows', (columns, rows) => {
    const view = stage(columns, rows);
    const names = Array.from({length: 40}, (_, index) => `train[fold=${index},text="日本語の名前"]`);
    view.emit(runStarted, planned(0, Object.fromEntries(names.map((name) => [name, 'will-run']))));
    view.emit(...names.map((name) => started(0, name)));
    view.emit(...names.map((node) => event('node-progress', 1, {node, fraction: 0.5, message: 'x'.repeat(300)})));
    view.drawAt(2);
    view.drawAt(3);
    expect(view.terminal.scrolled).toBeLessThanOrEqual(1);
    for (const line of view.terminal.screen().split('\n')) expect(textWidth(line)).toBeLessThan(columns);
    expect(view.terminal.screen().split('\n').length).toBeLessThan(rows);
  });

  test('a terminal that became narrower is cleared completely', () => {
    const view = stage(80, 24);
    view.emit(...begin, started(0, 'waveforms', {expectedMs: 5000}), started(0, 'train[fold=1]', {expectedMs: 9000}));
    view.drawAt(1);
    view.terminal.resize(30, 24);
    const screen = view.drawAt(2);
    expect(screen.match(/waveforms/g)).toHaveLength(1);
    expect(screen.match(/running/g)).toHaveLength(1);
  });

  test('verbose prints logs above the window, with escapes taken out', () => {
    const view = stage(60, 24, true);
    view.emit(...begin, started(0, 'waveforms'));
    view.drawAt(1);
    view.emit(event('node-log', 1, {node: 'waveforms', stream: 'stdout', text: '\u001b[2Jone\ntwo\n', slice: 'a'}));
    expect(view.drawAt(1)).toContain('waveforms a | one\nwaveforms a | two\n');
  });
});
