import type {Event} from '../core/events.ts';
import type {Graph} from '../core/graph.ts';
import {liveReporter} from '../report/live.ts';
import {ndjsonReporter} from '../report/ndjson.ts';
import {plainReporter} from '../report/plain.ts';
import type {Reporter} from '../report/reporter.ts';
import type {Context} from './context.ts';
import {displayPath} from './project.ts';
import {listenForSuspend} from './signals.ts';

/** How a run tells of itself: lines of JSON, a live window on a terminal, or plain lines. */
export function terminalReporter(context: Context, graph: Graph): Reporter {
  const {io, globals} = context;
  if (globals.json) return ndjsonReporter((text) => io.stdout.write(text));
  const reporter = peopleReporter(context, graph);
  return {...reporter, emit: (event) => reporter.emit(shortenPaths(event, io.cwd))};
}

function peopleReporter({io, globals, paint}: Context, graph: Graph): Reporter {
  const write = (text: string): void => io.stdout.write(text);
  const dumb = io.env['TERM'] === 'dumb' || (io.env['CI'] ?? '') !== '';
  if (!io.stdout.isTTY || globals.quiet || dumb) {
    return plainReporter({write, paint, verbose: globals.verbose, quiet: globals.quiet});
  }
  const live = liveReporter({
    terminal: {write, size: () => io.stdout.size()},
    paint,
    now: io.now,
    every(ms, tick) {
      const timer = setInterval(tick, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
    producersOf(node) {
      const index = graph.indexOf.get(node);
      const producers = index === undefined ? [] : (graph.producers[index] ?? []);
      return producers.map((producer) => graph.nodes[producer]!.id);
    },
    verbose: globals.verbose,
  });
  // Whatever ends the process, the cursor comes back.
  process.on('exit', live.close);
  const ignoreSuspend = listenForSuspend(live.suspend, live.resume);
  return {
    emit: live.emit,
    close() {
      live.close();
      process.off('exit', live.close);
      ignoreSuspend();
    },
  };
}

/** People see paths as they would type them. */
function shortenPaths(event: Event, cwd: string): Event {
  if (event.type !== 'node-finished' || event.failure === undefined) return event;
  const {reproduce, stack, ...failure} = event.failure;
  return {
    ...event,
    failure: {
      ...failure,
      ...(reproduce === undefined ? {} : {reproduce: displayPath(reproduce, cwd)}),
      ...(stack === undefined ? {} : {stack: stack.replaceAll(`(${cwd}/`, '(').replaceAll(`at ${cwd}/`, 'at ')}),
    },
  };
}
