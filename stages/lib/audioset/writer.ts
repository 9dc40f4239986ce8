import {closeAll} from '../formats/append-file.ts';
import {AUDIOSET_CLASSES} from './classes.ts';
import {VECTOR_WIDTH, type AudioSetClip} from './clip.ts';
import {csvWriter} from '../formats/csv-writer.ts';
import {multiHotBytes, setClasses} from './multi-hot.ts';
import {npyWriter} from '../formats/npy-writer.ts';

/** Writes clips, one at a time, as a row of each of three files; and counts what it wrote. */
export interface AudioSetWriter {
  write(clip: AudioSetClip): void;
  /** Whatever happens, it must be called. */
  close(): void;
  readonly counts: AudioSetCounts;
}

export interface AudioSetCounts {
  /** Labels of all clips together. */
  readonly labels: number;
  /** Clips of each class. */
  readonly perClass: Int32Array;
  /** Clips of each number of vectors, before filling or cutting. */
  readonly perLength: ReadonlyMap<number, number>;
}

/**
 * Starts features.npy (clips, vectors, 128), targets.npy (clips, 66) and clips.csv. A clip with fewer vectors than `vectors`
 * repeats its own from the first on, or gets zero bytes; one with more keeps the first.
 */
export function audioSetWriter(
  paths: {readonly features: string; readonly targets: string; readonly clips: string},
  {vectors, fill}: {readonly vectors: number; readonly fill: 'repeat' | 'zero'},
): AudioSetWriter {
  const values = new Uint8Array(vectors * VECTOR_WIDTH);
  const target = new Uint8Array(multiHotBytes(AUDIOSET_CLASSES));
  const features = npyWriter(paths.features, [vectors, VECTOR_WIDTH], values);
  const targets = npyWriter(paths.targets, [target.length], target);
  const clips = csvWriter(paths.clips, ['row', 'video_id', 'start', 'end', 'vectors', 'labels']);
  const perClass = new Int32Array(AUDIOSET_CLASSES);
  const perLength = new Map<number, number>();
  let labelCount = 0;

  return {
    write({videoId, start, end, labels, vectors: own}) {
      clips.write([features.rows, videoId, shortest(start), shortest(end), own.length, labels.join(';')]);
      fillRow(values, own, fill);
      features.write(values);
      target.fill(0);
      setClasses(target, labels);
      targets.write(target);
      for (const label of labels) perClass[label] = (perClass[label] as number) + 1;
      perLength.set(own.length, (perLength.get(own.length) ?? 0) + 1);
      labelCount += labels.length;
    },
    close: () => closeAll(features, targets, clips),
    get counts() {
      return {labels: labelCount, perClass, perLength};
    },
  };
}

function fillRow(values: Uint8Array, own: readonly Uint8Array[], fill: 'repeat' | 'zero'): void {
  const count = values.length / VECTOR_WIDTH;
  for (let i = 0; i < count; i++) {
    const vector = own[fill === 'repeat' ? i % own.length : i];
    if (vector !== undefined) values.set(vector, i * VECTOR_WIDTH);
    else values.fill(0, i * VECTOR_WIDTH, (i + 1) * VECTOR_WIDTH);
  }
}

/** The shortest decimal that reads back as the same float32. */
function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (let digits = 1; ; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
}
