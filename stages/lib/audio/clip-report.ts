import {readFileSync, writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {readCsv, writeCsv} from '../formats/csv.ts';

/** What stage resample-trim found out about a clip: its report.json. */
export type ClipReport =
  | {
      readonly type: 'clip-report/1';
      readonly status: 'ok';
      /** Kind of file, such as `wav` or `ogg`, and what the samples were coded in, such as `s16` or `vorbis`. */
      readonly container: string;
      readonly codec: string;
      /** Hz, of the file. */
      readonly sampleRate: number;
      readonly channels: number;
      /** Of the file. */
      readonly seconds: number;
      /** Cut off at both ends. */
      readonly trimmedSeconds: number;
      /** Largest absolute sample of the mono sound before normalisation; full scale is 1. */
      readonly peak: number;
      /** The peak is more than 100 dB below full scale. */
      readonly silent: boolean;
    }
  | {
      readonly type: 'clip-report/1';
      readonly status: 'skipped';
      /** Why no sound could be got out of the file. */
      readonly reason: string;
    };

/** Writes a clip's report as JSON. */
export function writeClipReport(path: string, report: ClipReport): void {
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
}

/** Reads a clip's report; `name` stands for the file in messages. Throws StageError when it is none. */
export function readClipReport(path: string, name: string): ClipReport {
  const text = readFileSync(path, 'utf8');
  try {
    const report = JSON.parse(text) as ClipReport | null;
    if (report?.type === 'clip-report/1') return report;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new StageError(
    `${name} is no report of a clip`,
    'bind the input to the output `report` of stage resample-trim',
  );
}

export interface ReportedClip {
  readonly key: string;
  readonly report: ClipReport;
}

/** Writes clips.csv, a row for each clip in the order given; what a skipped clip does not have stays empty. */
export function writeClips(path: string, clips: readonly ReportedClip[]): void {
  const rows = clips.map(({key, report}) =>
    report.status === 'skipped'
      ? [key, 'skipped', report.reason, ...FACTS.map(() => '')]
      : [key, 'ok', '', ...FACTS.map((fact) => report[fact])],
  );
  writeCsv(path, COLUMNS, rows);
}

/** Keys of the clips that clips.csv says were skipped, with the reasons. */
export function readSkipped(path: string): ReadonlyMap<string, string> {
  const rows = readCsv(path, ['key', 'status', 'reason'], 'the table of clips').map(
    ({key = '', status, reason = ''}) => {
      if (status !== 'ok' && status !== 'skipped') {
        throw new StageError(`the table of clips says that clip ${key} is \`${status ?? ''}\`, not ok or skipped`);
      }
      return {key, status, reason};
    },
  );
  return new Map(rows.filter(({status}) => status === 'skipped').map(({key, reason}) => [key, reason]));
}

const FACTS = ['codec', 'sampleRate', 'channels', 'seconds', 'trimmedSeconds', 'peak'] as const;
const COLUMNS = ['key', 'status', 'reason', ...FACTS];
