import {setImmediate} from 'node:timers/promises';
import {defineStage, StageError} from 'mixdown/stage';
import {closeAll} from './lib/formats/append-file.ts';
import {readAudioSetClasses} from './lib/audioset/classes.ts';
import {decodeAudioSetClip, type AudioSetClip} from './lib/audioset/clip.ts';
import {readAudioSetSegments, type AudioSetSegments} from './lib/audioset/segments.ts';
import {checkShardName, looksFolded, shardsOf} from './lib/audioset/shards.ts';
import {audioSetWriter, type AudioSetCounts} from './lib/audioset/writer.ts';
import {BadRecord, badRecordReport} from './lib/audioset/bad-record.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {IdIndex} from './lib/audioset/id-index.ts';
import {readTfRecords, type TfRecord} from './lib/audioset/tfrecord.ts';

export default defineStage({
  name: 'audioset-features',
  summary: 'The released AudioSet features as arrays: 8-bit vectors (clips, vectors, 128) and 527 targets a clip.',
  params: {
    vectors: {type: 'integer', minimum: 1, maximum: 1000, default: 10, about: 'vectors kept of a clip; one is 0.96 s'},
    fill: {
      type: 'string',
      enum: ['repeat', 'zero'],
      default: 'repeat',
      about: 'what a shorter clip gets for the vectors it lacks: its own from the first on, or zero bytes',
    },
    onBadRecord: {
      type: 'string',
      enum: ['fail', 'skip'],
      default: 'fail',
      about: 'a damaged, repeated or contradictory record: name all and fail, or leave them out and list them',
    },
  },
  inputs: {
    shards: {kind: 'tree', about: '.tfrecord files of one split, as released; other files are ignored'},
    classes: {kind: 'file', about: 'class_labels_indices.csv as released'},
    segments: {
      kind: 'file',
      optional: true,
      about: 'segments csv of the split, as released: ids, starts and labels are checked against it',
    },
  },
  outputs: {
    features: {
      kind: 'file',
      name: 'features.npy',
      about: 'uint8 (clips, vectors, 128), in the order of the shards by path and of the records in each',
    },
    targets: {
      kind: 'file',
      name: 'targets.npy',
      about: 'uint8 (clips, 66), a bit a class, highest first: numpy.unpackbits(targets, axis=1, count=527)',
    },
    clips: {
      kind: 'file',
      name: 'clips.csv',
      about: 'row,video_id,start,end,vectors,labels: seconds, vectors as released, class indices joined by ;',
    },
    classes: {kind: 'file', name: 'classes.csv', about: 'index,mid,label: the order of the targets'},
    skipped: {kind: 'file', name: 'skipped.csv', about: 'shard,record,byte,reason of the records left out'},
  },
  async run({params, inputs, outputs, signal, log, progress, metric}) {
    const classes = readAudioSetClasses(inputs.classes);
    const {mids, labels} = classes;
    writeCsv(
      outputs.classes,
      ['index', 'mid', 'label'],
      labels.map((label, i) => [i, mids[i] ?? '', label]),
    );
    const segments = inputs.segments === undefined ? undefined : readAudioSetSegments(inputs.segments, classes);
    const shards = shardsOf(inputs.shards);
    if (looksFolded(shards)) {
      log(
        'no two shards have names that differ by case only, as many of the release have: ' +
          'if they were unpacked where upper and lower case are one, some are lost',
      );
    }
    const shardBytes = shards.reduce((sum, shard) => sum + shard.size, 0);
    const videos = new IdIndex();
    const writer = audioSetWriter(outputs, params);
    const bad = badRecordReport(outputs.skipped);
    try {
      let records = 0;
      let bytesRead = 0;
      for (const shard of shards) {
        const prefixes = new Set<string>();
        for (const record of readTfRecords(shard.file)) {
          if (records++ % RECORDS_A_TURN === 0) {
            await setImmediate();
            signal.throwIfAborted();
            progress((bytesRead + record.offset) / shardBytes);
          }
          try {
            const clip = clipOf(record);
            prefixes.add(clip.videoId.slice(0, 2));
            segments?.check(clip);
            if (!videos.add(clip.videoId)) throw new BadRecord(`video \`${clip.videoId}\` appeared before`);
            writer.write(clip);
          } catch (error) {
            if (!(error instanceof BadRecord)) throw error;
            bad.add(shard.path, record, error.message);
          }
        }
        checkShardName(shard, prefixes);
        bytesRead += shard.size;
      }
    } finally {
      closeAll(writer, bad);
    }
    if (params.onBadRecord === 'fail') bad.refuse();
    if (videos.size === 0) throw new StageError('the shards hold no clip');
    if (bad.count > 0) log(`${count(bad.count, 'record')} left out: see skipped.csv`);
    metric('clips', videos.size);
    metric('skipped', bad.count);
    metric('labels', writer.counts.labels);
    logCounts(writer.counts, labels, log);
    if (segments !== undefined) metric('segmentsWithoutFeatures', logSegments(segments, log));
  },
});

/** So often others get a turn: messages go out, and a cancelled run ends. */
const RECORDS_A_TURN = 2000;
const MOST_NAMES = 10;

function clipOf(record: TfRecord): AudioSetClip {
  if ('broken' in record) throw new BadRecord(record.broken);
  return decodeAudioSetClip(record.data);
}

/** What the numbers of later stages cannot show. */
function logCounts(
  {perLength, perClass}: AudioSetCounts,
  labels: readonly string[],
  log: (text: string) => void,
): void {
  const lengths = [...perLength].sort(([a], [b]) => b - a).map(([length, clips]) => `${length}: ${clips}`);
  log(`clips by their number of vectors: ${lengths.join(', ')}`);
  const without = labels.filter((_, i) => perClass[i] === 0).map((label) => `\`${label}\``);
  if (without.length > 0) log(`${count(without.length, 'class', 'classes')} without a clip: ${firstOf(without)}`);
}

function logSegments(segments: AudioSetSegments, log: (text: string) => void): number {
  const {otherEnds} = segments;
  if (otherEnds > 0) log(`${count(otherEnds, 'clip')} end at another time than the segments table says`);
  const unseen = segments.unseen();
  if (unseen.length > 0)
    log(`${unseen.length} of ${count(segments.size, 'segment')} have no features: ${firstOf(unseen)}`);
  return unseen.length;
}

function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : nouns}`;
}

function firstOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
