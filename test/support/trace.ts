import type {ChromeTrace, TraceEvent} from '../../src/report/chrome-trace.ts';

type Span = Extract<TraceEvent, {ph: 'X'}>;

/** What the Trace Event Format has against a trace: members of each phase, names of threads, spans that are neither apart nor nested. */
export function traceProblems({traceEvents}: ChromeTrace): readonly string[] {
  const problems: string[] = [];
  const threads = new Map<string, Span[]>();
  const names = new Set<string>();
  for (const event of traceEvents) {
    const where = `${event.pid} ${event.tid}`;
    const {name, pid, tid, args} = event;
    if (typeof name !== 'string' || name === '') problems.push(`no name: ${JSON.stringify(event)}`);
    if (!Number.isInteger(pid) || !Number.isInteger(tid) || pid < 1 || tid < 1) problems.push(`no place: ${name}`);
    if (typeof args !== 'object') problems.push(`no args: ${name}`);
    if (event.ph === 'M') {
      const value = args[name.endsWith('_name') ? 'name' : 'sort_index'];
      if (value === undefined) problems.push(`nothing is said by ${name}`);
      if (name === 'thread_name') names.add(where);
      continue;
    }
    if (!names.has(where)) problems.push(`on a thread without a name: ${name}`);
    if (!Number.isInteger(event.ts) || event.ts < 0) problems.push(`no time: ${name}`);
    if (event.ph === 'i' && !['g', 'p', 't'].includes(event.s)) problems.push(`no scope: ${name}`);
    if (event.ph !== 'X') continue;
    if (!Number.isInteger(event.dur) || event.dur < 0) problems.push(`no duration: ${name}`);
    threads.set(where, [...(threads.get(where) ?? []), event]);
  }
  for (const spans of threads.values()) problems.push(...overlaps(spans));
  return problems;
}

function overlaps(spans: readonly Span[]): readonly string[] {
  const problems: string[] = [];
  const open: Span[] = [];
  const end = ({ts, dur}: Span): number => ts + dur;
  for (const span of [...spans].sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    while (open.length > 0 && end(open.at(-1)!) <= span.ts) open.pop();
    const around = open.at(-1);
    if (around && end(around) < end(span)) problems.push(`${around.name} and ${span.name} overlap`);
    if (around && around.cat === span.cat) problems.push(`${span.name} lies within ${around.name}`);
    open.push(span);
  }
  return problems;
}
