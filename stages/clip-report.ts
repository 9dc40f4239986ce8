import {writeFileSync} from 'node:fs';
import {extname} from 'node:path';
import {defineStage, StageError, type InputTree} from 'mixdown/stage';
import {readClipReport, writeClips, type ClipReport, type ReportedClip} from './lib/audio/clip-report.ts';
import {CONTAINER_EXTENSIONS} from './lib/audio/file-kind.ts';

export default defineStage({
  name: 'clip-report',
  summary: 'One table of what the clips are, and which of them are bad, silent or wrongly named.',
  params: {
    onBadClip: {
      type: 'string',
      enum: ['fail', 'skip'],
      default: 'fail',
      about: 'clips that stage resample-trim skipped: fail and name them all, or list them and go on',
    },
  },
  inputs: {
    reports: {kind: 'tree', about: 'reports of stage resample-trim, one for each clip'},
    clips: {kind: 'tree', optional: true, about: 'the clips themselves, to compare their names with what they hold'},
  },
  outputs: {
    clips: {
      kind: 'file',
      name: 'clips.csv',
      about:
        'key, status, reason, codec, sampleRate (Hz), channels, seconds, trimmedSeconds, peak (before normalisation)',
    },
    summary: {kind: 'file', name: 'clips.txt', display: true, about: 'the same in counts, and the odd ones by name'},
  },
  run({params, inputs, outputs, log, metric}) {
    const clips = inputs.reports.entries.map(({key, file}) => ({key, report: readClipReport(file, `report ${key}`)}));
    if (clips.length === 0) throw new StageError('there are no reports of clips');
    const skipped = clips.filter(({report}) => report.status === 'skipped').map(line);
    for (const text of skipped) log(text);
    if (params.onBadClip === 'fail' && skipped.length > 0) throw badClips(skipped, clips.length);
    const summary = summaryOf(clips, inputs.clips === undefined ? [] : misnamedOf(clips, inputs.clips));
    writeClips(outputs.clips, clips);
    writeFileSync(outputs.summary, summary);
    metric('clips', clips.length);
    metric('skipped', skipped.length);
  },
});

type Ok = Extract<ClipReport, {status: 'ok'}>;

const MOST_NAMED = 20;

function badClips(lines: readonly string[], total: number): StageError {
  const named = lines.slice(0, MOST_NAMED).map((text) => `  ${text}`);
  const rest = lines.length > MOST_NAMED ? [`  and ${lines.length - MOST_NAMED} more, which the log names`] : [];
  return new StageError(
    [`${lines.length} of ${total} clips are bad`, ...named, ...rest].join('\n'),
    'mend or remove them, or set `onBadClip: skip` to go on without them',
  );
}

function line({key, report}: ReportedClip): string {
  return `${key}: ${report.status === 'skipped' ? report.reason : ''}`;
}

/** Clips whose extension belongs to another kind of file than they are. */
function misnamedOf(clips: readonly ReportedClip[], tree: InputTree): readonly string[] {
  const paths = new Map(tree.entries.map(({key, path}) => [key, path]));
  return clips.flatMap(({key, report}) => {
    const path = paths.get(key);
    if (path === undefined || report.status !== 'ok') return [];
    const extension = extname(path).slice(1).toLowerCase();
    const fitting = CONTAINER_EXTENSIONS[report.container];
    const isOther = Object.values(CONTAINER_EXTENSIONS).some((list) => list.includes(extension));
    if (fitting === undefined || fitting.includes(extension) || !isOther) return [];
    return [`${path}: holds ${report.codec}${report.codec === report.container ? '' : ` (${report.container})`}`];
  });
}

function summaryOf(clips: readonly ReportedClip[], misnamed: readonly string[]): string {
  const good = clips.flatMap(({report}) => (report.status === 'ok' ? [report] : []));
  const seconds = good.reduce((sum, report) => sum + report.seconds, 0);
  const trimmed = good.reduce((sum, report) => sum + report.trimmedSeconds, 0);
  const lines = [
    `${counted(good.length, 'clip')}, ${duration(seconds)}; ${duration(trimmed)} of silence cut off`,
    `codec:    ${counts(good, ({codec}) => codec)}`,
    `rate:     ${counts(good, ({sampleRate}) => `${sampleRate} Hz`)}`,
    `channels: ${counts(good, ({channels}) => String(channels))}`,
    ...section('skipped', clips.filter(({report}) => report.status === 'skipped').map(line)),
    ...section(
      'silent',
      clips.filter(({report}) => report.status === 'ok' && report.silent).map(({key}) => key),
    ),
    ...section('wrongly named', misnamed),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return [`${title}: ${lines.length}`, ...lines.map((text) => `  ${text}`)];
}

/** Values with their counts, the most frequent first. */
function counts(reports: readonly Ok[], valueOf: (report: Ok) => string): string {
  const found = new Map<string, number>();
  for (const report of reports) found.set(valueOf(report), (found.get(valueOf(report)) ?? 0) + 1);
  const order = [...found].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return order.map(([value, count]) => `${value} x ${count}`).join(', ') || '-';
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
