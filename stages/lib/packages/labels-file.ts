import {writeFileSync} from 'node:fs';
import type {Labelled} from './labeller.ts';

/** What stage predict writes. */
export interface LabelsFile {
  readonly type: 'labels/1';
  readonly recordings: readonly (GoodRecording | BadRecording)[];
}

export interface GoodRecording {
  /** In the tree of the recordings. */
  readonly path: string;
  readonly seconds: number;
  /** Examples whose scores were averaged. */
  readonly pieces: number;
  /** Nothing can be heard in it; the scores say nothing. */
  readonly silent?: true;
  /** By falling score; equal ones in the order of the classes. */
  readonly top: readonly {readonly class: string; readonly score: number}[];
}

export interface BadRecording {
  readonly path: string;
  readonly reason: string;
}

/** The `count` best classes of a recording, six digits a score: more would differ from one engine to the next. */
export function describeLabels(
  path: string,
  {scores, seconds, pieces, isSilent}: Labelled,
  classes: readonly string[],
  count: number,
): GoodRecording {
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  const digits = (value: number): number => Number(value.toPrecision(6));
  return {
    path,
    seconds: digits(seconds),
    pieces,
    ...(isSilent ? {silent: true} : {}),
    top: order.slice(0, count).map((c) => ({class: classes[c] as string, score: digits(scores[c] as number)})),
  };
}

export function writeLabels(path: string, recordings: LabelsFile['recordings']): void {
  const file: LabelsFile = {type: 'labels/1', recordings};
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
}
