import {WireReader} from '../formats/wire-reader.ts';
import {BadRecord} from './bad-record.ts';

/** A list of values of one kind. `bytes` are views of the record. */
export type Feature =
  | {readonly kind: 'bytes'; readonly values: readonly Uint8Array[]}
  | {readonly kind: 'float'; readonly values: readonly number[]}
  | {readonly kind: 'int64'; readonly values: readonly number[]}
  | {readonly kind: 'none'};

/** tf.train.SequenceExample: what is said of the whole, and lists over time. */
export interface SequenceExample {
  readonly context: ReadonlyMap<string, Feature>;
  readonly featureLists: ReadonlyMap<string, readonly Feature[]>;
}

/**
 * Decodes a tf.train.SequenceExample. Fields and features that are not known are kept or passed over; a known field of another
 * wire type, a message that does not end where it says, and an int64 that is no exact number throw BadRecord.
 * As protobuf has it, the last of two equal keys counts, a message given in parts is joined, and lists may be packed or not.
 * Source: tensorflow/core/example/{example,feature}.proto.
 */
export function decodeSequenceExample(data: Uint8Array): SequenceExample {
  const reader = new WireReader(data, (message) => new BadRecord(message));
  const context = new Map<string, Feature>();
  const featureLists = new Map<string, readonly Feature[]>();
  while (reader.next()) {
    if (reader.field === 1) readMap(reader, context, 'context', readFeature, NOTHING);
    else if (reader.field === 2) readMap(reader, featureLists, 'feature_lists', readFeatureList, []);
    else reader.skip();
  }
  return {context, featureLists};
}

const NOTHING: Feature = {kind: 'none'};

/** A message whose field 1 is a map: entries with the key in field 1 and the value in field 2. */
function readMap<T>(
  reader: WireReader,
  map: Map<string, T>,
  what: string,
  readValue: (reader: WireReader, what: string, before: T) => T,
  nothing: T,
): void {
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const entry = reader.enter(what);
    let key = '';
    let value = nothing;
    while (reader.next()) {
      if (reader.field === 1) key = reader.text(what);
      else if (reader.field === 2) value = readValue(reader, key || what, value);
      else reader.skip();
    }
    reader.leave(entry);
    map.set(key, value);
  }
  reader.leave(outer);
}

function readFeatureList(reader: WireReader, what: string, before: readonly Feature[]): readonly Feature[] {
  const features = [...before];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) features.push(readFeature(reader, what, NOTHING));
    else reader.skip();
  }
  reader.leave(outer);
  return features;
}

function readFeature(reader: WireReader, what: string, before: Feature): Feature {
  let feature = before;
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) feature = {kind: 'bytes', values: readBytes(reader, what, feature)};
    else if (reader.field === 2) feature = {kind: 'float', values: readNumbers(reader, what, feature, 'float')};
    else if (reader.field === 3) feature = {kind: 'int64', values: readNumbers(reader, what, feature, 'int64')};
    else reader.skip();
  }
  reader.leave(outer);
  return feature;
}

function readBytes(reader: WireReader, what: string, before: Feature): readonly Uint8Array[] {
  const values = before.kind === 'bytes' ? [...before.values] : [];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) values.push(reader.take(what));
    else reader.skip();
  }
  reader.leave(outer);
  return values;
}

function readNumbers(reader: WireReader, what: string, before: Feature, kind: 'float' | 'int64'): readonly number[] {
  const values = before.kind === kind ? [...before.values] : [];
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field !== 1) reader.skip();
    else if (kind === 'float') reader.floats(values, what);
    else reader.integers(values, what);
  }
  reader.leave(outer);
  return values;
}
