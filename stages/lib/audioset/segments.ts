import {StageError} from 'mixdown/stage';
import type {AudioSetClasses} from './classes.ts';
import type {AudioSetClip} from './clip.ts';
import {BadRecord} from './bad-record.ts';
import {IdIndex, withLength} from './id-index.ts';
import {readLines} from '../formats/lines.ts';

/** A segments table: which part of which video has which labels. Held in arrays: two million rows take some 160 MiB. */
export interface AudioSetSegments {
  readonly size: number;
  /** Ticks off the segment of a clip. Throws BadRecord when the table lacks it or says other labels or another start. */
  check(clip: AudioSetClip): void;
  /** Clips that passed but end at another time than the table says: the release itself has some, a second short. */
  readonly otherEnds: number;
  /** Video ids of the segments that were not ticked off, in the order of the table. */
  unseen(): readonly string[];
}

/**
 * Reads {balanced_train,unbalanced_train,eval}_segments.csv as released: three lines that start with #, of which the second
 * counts the segments, then `YTID, start_seconds, end_seconds, "mid,mid"`. Throws StageError with the line for anything else.
 */
export function readAudioSetSegments(path: string, {mids, indexOf}: AudioSetClasses): AudioSetSegments {
  const ids = new IdIndex();
  let times = new Float32Array(2048);
  let labels = new Uint16Array(4096);
  let labelEnds = new Int32Array(1024);
  let labelCount = 0;
  let promised: string | undefined;
  let line = 0;
  for (const text of readLines(path, NAME)) {
    line++;
    if (line <= HEADER_LINES) {
      if (!text.startsWith('#')) throw headerMissing(line);
      promised ??= /\bnum_segs=(\d+)/.exec(text)?.[1];
      continue;
    }
    if (text === '') continue;
    const row = parseRow(text, line, indexOf);
    const i = ids.size;
    if (!ids.add(row.id)) throw new StageError(`${NAME}, line ${line}: video \`${row.id}\` appears twice`);
    if (i === labelEnds.length) {
      labelEnds = withLength(labelEnds, i * 2);
      times = withLength(times, i * 4);
    }
    if (labelCount + row.labels.length > labels.length) {
      labels = withLength(labels, (labelCount + row.labels.length) * 2);
    }
    times[2 * i] = row.start;
    times[2 * i + 1] = row.end;
    labels.set(row.labels, labelCount);
    labelCount += row.labels.length;
    labelEnds[i] = labelCount;
  }
  if (line < HEADER_LINES || promised === undefined) throw headerMissing(line + 1);
  if (promised !== String(ids.size)) {
    throw new StageError(
      `${NAME} says num_segs=${promised}, and has ${ids.size} rows`,
      'the file was cut or edited; take it from the AudioSet download page again',
    );
  }

  let otherEnds = 0;
  const seen = new Uint8Array(ids.size);
  const labelsOf = (i: number): Uint16Array => labels.subarray(i === 0 ? 0 : labelEnds[i - 1], labelEnds[i]);
  return {
    size: ids.size,
    check({videoId, start, end, labels: own}) {
      const i = ids.find(videoId);
      if (i === -1) throw new BadRecord(`video \`${videoId}\` is not in ${NAME}`);
      const wanted = labelsOf(i);
      if (own.length !== wanted.length || own.some((label, k) => label !== wanted[k])) {
        throw new BadRecord(
          `video \`${videoId}\` has labels ${midsOf(own, mids)}; ${NAME} says ${midsOf(wanted, mids)}`,
        );
      }
      const [from, to] = times.subarray(2 * i);
      if (start !== from) {
        throw new BadRecord(`video \`${videoId}\` starts at ${start} s; ${NAME} says ${from} s`);
      }
      if (end !== to) otherEnds++;
      seen[i] = 1;
    },
    get otherEnds() {
      return otherEnds;
    },
    unseen: () => [...ids].filter((_, i) => seen[i] === 0),
  };
}

const NAME = 'the segments table';
const HEADER_LINES = 3;
const ROW = /^([\w-]{1,64}), *(\d+(?:\.\d+)?), *(\d+(?:\.\d+)?), *"([^"]*)"$/;

function parseRow(text: string, line: number, indexOf: ReadonlyMap<string, number>) {
  const [, id = '', start = '', end = '', list = ''] = ROW.exec(text) ?? [];
  if (id === '') {
    throw new StageError(
      `${NAME}, line ${line} is not a segment: ${JSON.stringify(text.slice(0, 80))}`,
      'a row is such as: --PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"',
    );
  }
  const labels = list.split(',').map((mid) => {
    const index = indexOf.get(mid.trim());
    if (index === undefined) throw new StageError(`${NAME}, line ${line}: \`${mid}\` is not in the classes table`);
    return index;
  });
  return {id, start: Number(start), end: Number(end), labels: [...new Set(labels)].sort((a, b) => a - b)};
}

function midsOf(labels: Iterable<number>, mids: readonly string[]): string {
  return Array.from(labels, (label) => mids[label]).join(',');
}

function headerMissing(line: number): StageError {
  return new StageError(
    `${NAME}, line ${line}: three lines that start with # are needed, with the number of segments (num_segs=...)`,
    'give the released csv as it is',
  );
}
