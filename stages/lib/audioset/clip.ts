import {AUDIOSET_CLASSES} from './classes.ts';
import {BadRecord} from './bad-record.ts';
import {decodeSequenceExample, type Feature, type SequenceExample} from './sequence-example.ts';

/** A clip of the released features. */
export interface AudioSetClip {
  readonly videoId: string;
  /** Seconds into the video. */
  readonly start: number;
  readonly end: number;
  /** Class indices, rising, at least one. */
  readonly labels: readonly number[];
  /** One vector for 0.96 s of sound, after PCA, 8 bits a value; views of the record. At least one. */
  readonly vectors: readonly Uint8Array[];
}

/** Values of a vector. */
export const VECTOR_WIDTH = 128;

/**
 * Decodes a record of the released AudioSet features: context video_id, start_time_seconds, end_time_seconds and labels,
 * feature list audio_embedding. Throws BadRecord for anything that no clip of the release has.
 */
export function decodeAudioSetClip(data: Uint8Array): AudioSetClip {
  const example = decodeSequenceExample(data);
  const start = one(floats(example, 'start_time_seconds'), 'start_time_seconds');
  const end = one(floats(example, 'end_time_seconds'), 'end_time_seconds');
  if (!(start >= 0 && start < end && end < Infinity)) throw new BadRecord(`it runs from ${start} to ${end} seconds`);
  return {videoId: videoIdOf(example), start, end, labels: labelsOf(example), vectors: vectorsOf(example)};
}

function videoIdOf(example: SequenceExample): string {
  const feature = featureOf(example, 'video_id');
  if (feature.kind !== 'bytes') throw wrongKind('video_id', feature, 'bytes');
  const {buffer, byteOffset, length} = one(feature.values, 'video_id');
  const text = Buffer.from(buffer, byteOffset, length).toString('latin1');
  if (/^[\w-]{1,64}$/.test(text)) return text;
  throw new BadRecord(`its video_id is ${JSON.stringify(text.slice(0, 80))}; letters, digits, _ and - are needed`);
}

function labelsOf(example: SequenceExample): readonly number[] {
  const feature = featureOf(example, 'labels');
  if (feature.kind !== 'int64') throw wrongKind('labels', feature, 'int64');
  if (feature.values.length === 0) throw new BadRecord('it has no labels');
  const wrong = feature.values.find((label) => label < 0 || label >= AUDIOSET_CLASSES);
  if (wrong !== undefined) throw new BadRecord(`label ${wrong} is not one of the ${AUDIOSET_CLASSES} classes`);
  return [...new Set(feature.values)].sort((a, b) => a - b);
}

function vectorsOf({featureLists}: SequenceExample): readonly Uint8Array[] {
  const list = featureLists.get('audio_embedding');
  if (list === undefined || list.length === 0) throw new BadRecord('it has no audio_embedding');
  return list.map((feature, i) => {
    const name = `vector ${i + 1} of ${list.length}`;
    if (feature.kind !== 'bytes') throw wrongKind(name, feature, 'bytes');
    const vector = one(feature.values, name);
    if (vector.length !== VECTOR_WIDTH) {
      throw new BadRecord(`${name} has ${vector.length} values; ${VECTOR_WIDTH} are needed`);
    }
    return vector;
  });
}

function floats(example: SequenceExample, name: string): readonly number[] {
  const feature = featureOf(example, name);
  if (feature.kind !== 'float') throw wrongKind(name, feature, 'float');
  return feature.values;
}

function featureOf({context}: SequenceExample, name: string): Feature {
  const feature = context.get(name);
  if (feature === undefined) throw new BadRecord(`it has no ${name}`);
  return feature;
}

function one<T>(values: readonly T[], name: string): T {
  const [value] = values;
  if (value === undefined || values.length > 1) throw new BadRecord(`${name} has ${values.length} values, not one`);
  return value;
}

function wrongKind(name: string, {kind}: Feature, wanted: string): BadRecord {
  return new BadRecord(`${name} holds ${kind === 'none' ? 'nothing' : kind}; ${wanted} is needed`);
}
