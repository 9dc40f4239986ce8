import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import stage from '../../../stages/audioset-features.ts';
import {readCsv, type CsvRecord} from '../../../stages/lib/formats/csv.ts';
import {eachClass} from '../../../stages/lib/audioset/multi-hot.ts';
import {readUint8} from '../../../stages/lib/formats/npy.ts';
import {
  bytesFeature,
  classTable,
  encodeClip,
  encodeTfRecords,
  floatFeature,
  int64Feature,
  segmentsTable,
  sequenceExample,
  vector,
  type RecordClip,
} from '../../support/audioset-records.ts';
import {runStage, type PortInput} from '../../support/stage-harness.ts';
import {sharedData} from '../../support/shared-data.ts';

const classes = {content: classTable()};
const clips = {
  a: {videoId: 'aa_________', start: 30, end: 40, labels: [0], vectors: [1, 2, 3].map(vector)},
  b: {videoId: 'aa--------b', start: 0, end: 4.7, labels: [526, 7], vectors: [4].map(vector)},
  c: {videoId: 'Ab000000000', start: 1.5, end: 11.5, labels: [8], vectors: [5, 6, 7, 8, 9].map(vector)},
} satisfies Record<string, RecordClip>;
const shards = {
  'aa.tfrecord': encodeTfRecords(encodeClip(clips.a), encodeClip(clips.b)),
  'Ab.tfrecord': encodeTfRecords(encodeClip(clips.c)),
};
const segments = segmentsTable(Object.values(clips));

interface Options {
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  readonly table?: string;
  readonly classes?: PortInput;
  readonly params?: {vectors?: number; fill?: 'repeat' | 'zero'; onBadRecord?: 'fail' | 'skip'};
}

function run({files = shards, table, classes: given = classes, params = {}}: Options = {}) {
  const inputs = {shards: {files}, classes: given, ...(table !== undefined && {segments: {content: table}})};
  return runStage(stage, {params: {vectors: 3, ...params}, inputs});
}

function labelsOf(path: string): readonly (readonly number[])[] {
  const {shape, data} = readUint8(path, 2);
  const width = shape[1]!;
  return Array.from({length: shape[0]!}, (_, row) => {
    const labels: number[] = [];
    eachClass(data.subarray(row * width, (row + 1) * width), (c) => void labels.push(c));
    return labels;
  });
}

/** The vectors of the features, by the seeds they were made from; 0 for zeros. */
function seedsOf(path: string): readonly (readonly number[])[] {
  const {shape, data} = readUint8(path, 3);
  const seeds = new Map([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [(n ? vector(n) : new Uint8Array(128)).join(), n]));
  const [rows = 0, count = 0] = shape;
  return Array.from({length: rows}, (_, row) =>
    Array.from({length: count}, (_, i) => {
      const from = (row * count + i) * 128;
      return seeds.get(data.subarray(from, from + 128).join()) ?? -1;
    }),
  );
}

/** Of the vectors before filling, of the first rows. */
function momentsOf(features: Uint8Array, rows: readonly CsvRecord[]) {
  let [count, sum, squares] = [0, 0, 0];
  for (const [row, {vectors}] of rows.entries()) {
    for (let i = row * 1280; i < row * 1280 + Number(vectors) * 128; i++) {
      const value = features[i]!;
      count++;
      sum += value;
      squares += value * value;
    }
  }
  return {count, sum, squares};
}

describe('audioset-features', () => {
  test('writes one row a clip, in the order of shards and records', async () => {
    const {outputs, metrics, logs} = await run({table: segments});
    expect(readFileSync(outputs.clips, 'utf8')).toBe(
      'row,video_id,start,end,vectors,labels\n' +
        '0,Ab000000000,1.5,11.5,5,8\n1,aa_________,30,40,3,0\n2,aa--------b,0,4.7,1,7;526\n',
    );
    expect(seedsOf(outputs.features)).toEqual([
      [5, 6, 7],
      [1, 2, 3],
      [4, 4, 4],
    ]);
    expect(labelsOf(outputs.targets)).toEqual([[8], [0], [7, 526]]);
    expect(readCsv(outputs.classes, ['index', 'mid', 'label'])[7]).toEqual({
      index: '7',
      mid: '/m/07',
      label: 'Sound 7, an "odd" one',
    });
    expect(readFileSync(outputs.skipped, 'utf8')).toBe('shard,record,byte,reason\n');
    expect(metrics).toEqual({clips: 3, labels: 4, skipped: 0, segmentsWithoutFeatures: 0});
    expect(logs).toEqual([
      'clips by their number of vectors: 5: 1, 3: 1, 1: 1',
      expect.stringContaining('523 classes without a clip: `Sound 1, an "odd" one`, ') as string,
    ]);
  });

  test('repeats a short clip from its first vector on, or fills it with zeros', async () => {
    const files = {
      'aa.tfrecord': encodeTfRecords(encodeClip({...clips.a, vectors: [1, 2].map(vector)}), encodeClip(clips.b)),
    };
    const seeds = async (fill: 'repeat' | 'zero') =>
      seedsOf((await run({files, params: {fill, vectors: 5}})).outputs.features);
    expect(await seeds('repeat')).toEqual([
      [1, 2, 1, 2, 1],
      [4, 4, 4, 4, 4],
    ]);
    expect(await seeds('zero')).toEqual([
      [1, 2, 0, 0, 0],
      [4, 0, 0, 0, 0],
    ]);
  });

  test('gives the same bytes however often it is run', async () => {
    const read = async () => Object.values((await run()).outputs).map((path) => readFileSync(path, 'base64'));
    expect(await read()).toEqual(await read());
  });

  const good = encodeClip(clips.b);
  const context = {
    video_id: bytesFeature(Buffer.from('aa')),
    start_time_seconds: floatFeature(0),
    end_time_seconds: floatFeature(10),
    labels: int64Feature(0),
  };
  const lists = {audio_embedding: [bytesFeature(vector(1))]};
  const without = (key: keyof typeof context) => {
    const {[key]: _, ...rest} = context;
    return sequenceExample(rest, lists);
  };
  const embedding = (...features: readonly Uint8Array[]) => sequenceExample(context, {audio_embedding: features});

  test.each<[string, Uint8Array, string]>([
    ['no message', Buffer.from('text'), 'field 14 has wire type 4, which is not supported (byte 1 of its data)'],
    ['no video id', without('video_id'), 'it has no video_id'],
    [
      'two video ids',
      sequenceExample({...context, video_id: bytesFeature(Buffer.from('a'), Buffer.from('b'))}, lists),
      'video_id has 2 values, not one',
    ],
    [
      'a number as video id',
      sequenceExample({...context, video_id: int64Feature(1)}, lists),
      'video_id holds int64; bytes is needed',
    ],
    ['an odd video id', encodeClip({videoId: 'a,b'}), 'its video_id is "a,b"; letters, digits, _ and - are needed'],
    ['an empty video id', encodeClip({videoId: ''}), 'its video_id is ""'],
    ['no start', without('start_time_seconds'), 'it has no start_time_seconds'],
    ['an end before the start', encodeClip({start: 5, end: 4}), 'it runs from 5 to 4 seconds'],
    ['an endless clip', encodeClip({end: Infinity}), 'it runs from 30 to Infinity seconds'],
    ['a start that is no number', encodeClip({start: NaN}), 'it runs from NaN to 40 seconds'],
    ['no labels', encodeClip({labels: []}), 'it has no labels'],
    [
      'an empty labels feature',
      sequenceExample({...context, labels: Buffer.alloc(0)}, lists),
      'labels holds nothing; int64 is needed',
    ],
    ['a label beyond the classes', encodeClip({labels: [0, 527]}), 'label 527 is not one of the 527 classes'],
    ['a negative label', encodeClip({labels: [-1]}), 'label -1 is not one of the 527 classes'],
    ['no vectors', encodeClip({vectors: []}), 'it has no audio_embedding'],
    [
      'a short vector',
      encodeClip({vectors: [vector(1), new Uint8Array(127)]}),
      'vector 2 of 2 has 127 values; 128 are needed',
    ],
    ['a vector of numbers', embedding(floatFeature(1)), 'vector 1 of 1 holds float; bytes is needed'],
    ['two vectors at once', embedding(bytesFeature(vector(1), vector(2))), 'vector 1 of 1 has 2 values, not one'],
    ['a repeated video', encodeClip(clips.a), 'video `aa_________` appeared before'],
  ])('names a record with %s, with its place', async (_, record, reason) => {
    const first = encodeClip(clips.a);
    const files = {'aa.tfrecord': encodeTfRecords(first, record, good)};
    const failed = run({files});
    await expect(failed).rejects.toMatchObject({name: 'StageError'});
    await expect(failed).rejects.toThrow(
      `a record is bad:\n  shard \`aa.tfrecord\`, record 2 (byte ${first.length + 16}): ${reason}`,
    );
    const {outputs, metrics, logs} = await run({files, params: {onBadRecord: 'skip'}});
    expect(readCsv(outputs.clips, ['video_id']).map((row) => row['video_id'])).toEqual([
      clips.a.videoId,
      clips.b.videoId,
    ]);
    expect(metrics).toMatchObject({clips: 2, skipped: 1});
    expect(logs).toContain('1 record left out: see skipped.csv');
    const [row] = readCsv(outputs.skipped, ['shard', 'record', 'byte', 'reason']);
    expect(row).toMatchObject({shard: 'aa.tfrecord', record: '2', byte: String(first.length + 16)});
    expect(row?.['reason']).toContain(reason);
  });

  test('names every bad record of every shard at once', async () => {
    const flipped = Buffer.from(shards['aa.tfrecord']);
    flipped[40]! ^= 1;
    const files = {'aa.tfrecord': flipped, 'Ab.tfrecord': shards['Ab.tfrecord'].subarray(0, -3)};
    await expect(run({files})).rejects.toThrow(
      /^2 records are bad:\n {2}shard `Ab.tfrecord`, record 1 \(byte 0\): the file is cut: .*\n {2}shard `aa.tfrecord`, record 1 \(byte 0\): its data is damaged \(.*\)$/,
    );
    const {outputs} = await run({files, params: {onBadRecord: 'skip'}});
    expect(readCsv(outputs.clips, ['video_id']).map((row) => row['video_id'])).toEqual([clips.b.videoId]);
    expect(readCsv(outputs.skipped, ['shard']).map((row) => row['shard'])).toEqual(['Ab.tfrecord', 'aa.tfrecord']);
  });

  test('names twenty bad records and counts the others', async () => {
    const files = {'aa.tfrecord': encodeTfRecords(...Array.from({length: 30}, () => encodeClip({labels: []})))};
    await expect(run({files})).rejects.toThrow(/^30 records are bad:\n(.*it has no labels\n){20} {2}and 10 more$/);
    await expect(run({files, params: {onBadRecord: 'skip'}})).rejects.toThrow('the shards hold no clip');
  });

  test('checks the clips against the segments', async () => {
    const {a, b, c} = clips;
    const check = (...rows: readonly RecordClip[]) => run({table: segmentsTable(rows)});
    const {metrics, logs} = await check({...a, labels: [0, 0]}, {...b, end: 5.7}, c, {videoId: 'unseen'});
    expect(metrics['segmentsWithoutFeatures']).toBe(1);
    expect(logs).toContain('1 of 4 segments have no features: unseen');
    expect(logs).toContain('1 clip end at another time than the segments table says');
    await expect(check(a, b)).rejects.toThrow('video `Ab000000000` is not in the segments table');
    await expect(check(a, b, {...c, labels: [8, 9]})).rejects.toThrow(
      'video `Ab000000000` has labels /m/08; the segments table says /m/08,/m/09',
    );
    await expect(check(a, {...b, start: 3}, c)).rejects.toThrow(
      'video `aa--------b` starts at 0 s; the segments table says 3 s',
    );
  });

  test('reads thousands of clips and segments', async () => {
    const rows = Array.from({length: 3000}, (_, i) => ({
      videoId: `aa${String(i).padStart(9, '0')}`,
      start: i,
      end: i + 10,
      labels: [i % 100, 100 + (i % 50)],
    }));
    const files = {'aa.tfrecord': encodeTfRecords(...rows.map((row) => encodeClip(row)))};
    const {outputs, metrics} = await run({files, table: segmentsTable(rows)});
    expect(metrics).toMatchObject({clips: 3000, labels: 6000, skipped: 0, segmentsWithoutFeatures: 0});
    expect(labelsOf(outputs.targets)).toEqual(rows.map((row) => row.labels));
    expect(readCsv(outputs.clips, ['start']).map((row) => Number(row['start']))).toEqual(rows.map((row) => row.start));
  });

  const lines = segments.split('\n');
  test.each<[string, string, string]>([
    ['nothing', '', 'line 1: three lines that start with # are needed'],
    ['a plain csv', 'YTID,start\n', 'line 1: three lines that start with # are needed'],
    ['two header lines', lines.toSpliced(2, 1).join('\n'), 'line 3: three lines that start with # are needed'],
    ['no count', lines.with(1, '#').join('\n'), 'line 7: three lines that start with # are needed'],
    ['a missing row', lines.toSpliced(4, 1).join('\n'), 'says num_segs=3, and has 2 rows'],
    [
      'no labels',
      lines.with(3, 'aa_________, 30.000, 40.000, ""').join('\n'),
      'line 4: `` is not in the classes table',
    ],
    ['a cut row', lines.with(4, 'aa--------b, 0.0').join('\n'), 'line 5 is not a segment: "aa--------b, 0.0"'],
    ['a repeated video', lines.with(4, lines[3]!).join('\n'), 'line 5: video `aa_________` appears twice'],
    ['an unknown class', segments.replace('/m/08', '/m/0x'), 'line 6: `/m/0x` is not in the classes table'],
  ])('refuses a segments table with %s', async (_, table, message) => {
    await expect(run({table})).rejects.toThrow(
      `the segments table${message.startsWith('says') ? ' ' : ', '}${message}`,
    );
  });

  test.each<[string, string, string]>([
    ['too few classes', classTable(526), 'has 526 rows; the released features have 527 classes'],
    ['too many classes', classTable(528), 'has 528 rows; the released features have 527 classes'],
    ['an index out of order', classTable().replace('\n3,', '\n4,'), ', line 5: index is `4`, not 3'],
    ['an odd mid', classTable().replace('/m/03,', 'm03,'), ', line 5: mid is `m03`, not one such as /m/09x0r'],
    ['a repeated mid', classTable().replace('/m/03,', '/m/02,'), ', line 5: mid `/m/02` appears twice'],
    ['an empty name', classTable().replace(/"Sound 3,.*"/, ''), ', line 5: display_name is empty'],
    ['other columns', 'a,b\n', ', line 1: no column `index`, `mid`, `display_name`'],
  ])('refuses a classes table with %s', async (_, content, message) => {
    await expect(run({classes: {content}})).rejects.toThrow(
      `the classes table${message.startsWith(',') ? '' : ' '}${message}`,
    );
  });

  test('refuses a folder without shards, ignores other files', async () => {
    await expect(run({files: {'SOURCE.txt': 'x'}})).rejects.toThrow(
      'none of the 1 files of `shards` ends with .tfrecord',
    );
    expect((await run({files: {...shards, 'SOURCE.txt': 'x'}})).metrics['clips']).toBe(3);
    await expect(run({files: {'aa.tfrecord': ''}})).rejects.toThrow('the shards hold no clip');
  });

  describe('on a file system that does not tell upper from lower case', () => {
    test('a shard that was written over is refused', async () => {
      const files = {'aB.tfrecord': shards['Ab.tfrecord']};
      await expect(run({files})).rejects.toThrow(
        'shard `aB.tfrecord` holds the records of `Ab.tfrecord`, and its own are lost',
      );
      const renamed = {'part-aB.tfrecord': shards['Ab.tfrecord'], 'zz.tfrecord': shards['aa.tfrecord']};
      expect((await run({files: renamed})).metrics['clips']).toBe(3);
    });

    const characters = 'abcdefghijklmnopqrstuvwxyz0123456789-_'.split('');
    const clipOf = (name: string) => encodeTfRecords(encodeClip({videoId: `${name}xxxxxxxxx`}));
    const named = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [`${name}.tfrecord`, clipOf(name)]));
    const folded = characters.slice(0, 8).flatMap((x) => characters.map((y) => x + y));

    test('many shards of which no two differ by case only look lost', async () => {
      const warning = expect.stringContaining('if they were unpacked where upper and lower case are one') as string;
      expect((await run({files: named(folded)})).logs).toContainEqual(warning);
      expect((await run({files: named([...folded, 'AA'])})).logs).not.toContainEqual(warning);
      expect((await run({files: named(folded.slice(0, 100))})).logs).not.toContainEqual(warning);
    });
  });

  test('stops when the run is cancelled', async () => {
    const inputs = {shards: {files: shards}, classes};
    const run = runStage(stage, {inputs, signal: AbortSignal.abort()});
    await expect(run).rejects.toMatchObject({name: 'AbortError'});
  });

  const real = sharedData('audioset-embeddings');
  const meta = sharedData('audioset-meta');
  const released = real === undefined || meta === undefined ? undefined : {real, meta};

  test.skipIf(released === undefined)('reads the released balanced training set', async () => {
    const {outputs, metrics, logs} = await runStage(stage, {
      inputs: {
        shards: join(released!.real, 'bal_train'),
        classes: join(released!.meta, 'class_labels_indices.csv'),
        segments: join(released!.meta, 'balanced_train_segments.csv'),
      },
    });
    expect(metrics).toEqual({clips: 22_160, labels: 52_882, skipped: 0, segmentsWithoutFeatures: 0});
    expect(logs).toEqual([
      'clips by their number of vectors: 10: 21782, 9: 87, 8: 57, 7: 69, 6: 47, 5: 38, 4: 39, 3: 22, 2: 15, 1: 4',
      '38 clips end at another time than the segments table says',
    ]);
    const perClass = new Int32Array(527);
    for (const labels of labelsOf(outputs.targets)) for (const label of labels) perClass[label]!++;
    expect([perClass[0], perClass[137], Math.min(...perClass)]).toEqual([5735, 6244, 59]);

    // Mean and deviation of the vectors as released, over the first 400 shards: 2703 clips.
    const {data} = readUint8(outputs.features, 3);
    const {count, sum, squares} = momentsOf(data, readCsv(outputs.clips, ['vectors']).slice(0, 2703));
    const mean = sum / count;
    expect([mean.toFixed(1), Math.sqrt(squares / count - mean ** 2).toFixed(1)]).toEqual(['126.4', '77.3']);
  });

  test.skipIf(released === undefined)('reads the released evaluation set', async () => {
    const {metrics, logs} = await runStage(stage, {
      inputs: {
        shards: join(released!.real, 'eval'),
        classes: join(released!.meta, 'class_labels_indices.csv'),
      },
    });
    expect(metrics).toEqual({clips: 20_371, labels: 51_804, skipped: 0});
    expect(logs[0]).toContain('clips by their number of vectors: 10: 19976, ');
  });
});
