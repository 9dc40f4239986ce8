import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import stage from '../../../stages/dataset.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {LAYOUTS} from '../../../stages/lib/datasets/layouts.ts';
import {makeDataset} from '../../../stages/lib/datasets/make-dataset.ts';
import {encodeWav} from '../../../stages/lib/audio/wav-write.ts';
import folds from '../../../stages/folds.ts';
import {runStage, type HarnessOptions, type PortInput} from '../../support/stage-harness.ts';
import {sharedData} from '../../support/shared-data.ts';
import type {InputsOf, ParamsOf} from '../../../src/stage-api.ts';

type Options = HarnessOptions<ParamsOf<typeof stage.params>, InputsOf<typeof stage.inputs>>;
type Params = NonNullable<Options['params']>;

/** A clip of 40 samples that are `value`: clips of one value have the same bytes. */
const wav = (value: number): Uint8Array =>
  encodeWav({sampleRate: 16000, channels: [new Float64Array(40).fill(value / 32768)]}, 'pcm16');
/** Clips of different bytes. */
const tree = (paths: readonly string[]) => ({files: Object.fromEntries(paths.map((path, i) => [path, wav(i)]))});
const csv = (...lines: string[]) => ({content: `${lines.join('\n')}\n`});

async function run(params: Params, clips: PortInput, ...labels: PortInput[]) {
  const {outputs, logs, metrics} = await runStage(stage, {params, inputs: {clips, labels}});
  return {
    rows: readFileSync(outputs.labels, 'utf8').trimEnd().split('\n').slice(1),
    logs,
    metrics,
    path: outputs.labels,
  };
}

/** Message and hint of the failure. */
async function failure(params: Params, clips: PortInput, ...labels: PortInput[]): Promise<string> {
  const error: unknown = await run(params, clips, ...labels).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({name: 'StageError'});
  const {message, hint} = error as {message: string; hint?: string};
  return hint === undefined ? message : `${message} | ${hint}`;
}

describe('layout table', () => {
  test('takes the usual columns, sorts by file', async () => {
    const labels = csv(
      'fname,label,manually_verified,split,fold,group',
      'b.wav,Cow,0,train,2,x',
      'a.wav,Bell,1,test,,',
    );
    const {rows, metrics} = await run({}, tree(['a.wav', 'b.wav']), labels);
    expect(rows).toEqual(['a.wav,Bell,1,test,0,', 'b.wav,Cow,0,train,2,x']);
    expect(metrics).toEqual({
      clips: 2,
      classes: 2,
      testClips: 1,
      missing: 0,
      leftOut: 0,
      unlabelled: 0,
      duplicates: 0,
    });
  });

  test('does not mind blanks at the ends of cells, capitals in the header, empty rows, carriage returns', async () => {
    const labels = {content: ' Fname, Label ,SPLIT\ra.wav , Bell,Test \r"b.wav",Bell  ,\r,,\r'};
    const {rows} = await run({}, tree(['a.wav', 'b.wav']), labels);
    expect(rows).toEqual(['a.wav,Bell,1,test,0,', 'b.wav,Bell,1,,,']);
    // A column that a param names keeps its name.
    const named = csv('Path,path,Label', 'a.wav,x,Bell', 'b.wav,x,Bell');
    expect((await run({fileColumn: 'Path'}, tree(['a.wav', 'b.wav']), named)).rows).toHaveLength(2);
    const twoLabels = csv('fname,label,Label', 'a.wav,Bell,x', 'b.wav,Bell,y');
    expect((await run({}, tree(['a.wav', 'b.wav']), twoLabels)).metrics).toMatchObject({classes: 1});
  });

  test('takes both ways to write an accented letter for the same, in files and in labels', async () => {
    const labels = csv('fname,label', 'caf\u00e9.wav,P\u00e8re', 'b.wav,Pe\u0300re');
    const {rows, metrics} = await run({}, tree(['cafe\u0301.wav', 'b.wav']), labels);
    expect(rows).toEqual(['b.wav,P\u00e8re,1,,,', 'cafe\u0301.wav,P\u00e8re,1,,,']);
    expect(metrics).toMatchObject({classes: 1});
    // Where a folder has both files, each is itself.
    const both = csv('fname,label', '\u00e9.wav,x', 'e\u0301.wav,y');
    expect((await run({}, tree(['\u00e9.wav', 'e\u0301.wav']), both)).rows).toEqual([
      'e\u0301.wav,y,1,,,',
      '\u00e9.wav,x,1,,,',
    ]);
  });

  test('takes the columns that params name', async () => {
    const labels = csv(
      'id,sound,where,part,tape,sure',
      'x/a.wav,Bell,test,,t1,TRUE',
      'x/b.wav,Cow,train,0,t2,0',
      'x/c.wav,Cow,,,t2,1',
    );
    const params: Params = {
      fileColumn: 'id',
      labelColumn: 'sound',
      splitColumn: 'where',
      foldColumn: 'part',
      groupColumn: 'tape',
      verifiedColumn: 'sure',
      firstFold: 0,
    };
    const {rows} = await run(params, tree(['x/a.wav', 'x/b.wav', 'x/c.wav']), labels);
    expect(rows).toEqual(['x/a.wav,Bell,1,test,0,t1', 'x/b.wav,Cow,0,train,1,t2', 'x/c.wav,Cow,1,,,t2']);
  });

  test('finds files by more or less of their path, and with another extension', async () => {
    const labels = csv(
      'path,category',
      'a.wav,Bell',
      '/home/me/data/y/b.wav,Bell',
      'y\\c.wav,Bell',
      './x/d.wav,Cow',
      'e.mp3,Cow',
      'f,Cow',
    );
    const files = ['x/a.wav', 'y/b.wav', 'z/y/c.wav', 'x/d.wav', 'x/e.flac', 'z/f.ogg'];
    const {rows} = await run({}, tree(files), labels);
    expect(rows.map((row) => row.split(',')[0])).toEqual(files.toSorted());
  });

  test('several tables are one dataset', async () => {
    const {rows} = await run(
      {},
      tree(['a.wav', 'b.wav']),
      csv('file,class,split', 'a.wav,Bell,train'),
      csv('label,filename,split', 'Cow,b.wav,test'),
    );
    expect(rows).toEqual(['a.wav,Bell,1,train,,', 'b.wav,Cow,1,test,0,']);
  });

  test('may leave out what is missing and what has no label', async () => {
    const labels = csv('fname,label', 'a.wav,Bell', 'b.wav,Cow');
    const clips = tree(['a.wav', 'c.wav', 'README.txt']);
    const {rows, logs, metrics} = await run({missing: 'skip', unlabelled: 'skip'}, clips, labels);
    expect(rows).toEqual(['a.wav,Bell,1,,,']);
    expect(metrics).toMatchObject({clips: 1, classes: 1, missing: 1, unlabelled: 2});
    expect(logs).toEqual([
      'the labels table names 1 file that the clips lack: `b.wav` (line 3): left out',
      '2 files without a label: `README.txt`, `c.wav`: left out',
      '1 label without a clip: `Cow`',
    ]);
  });

  const head = 'fname,label';
  test.each<[string, Params, string[], string[][], string]>([
    ['no table', {}, ['a.wav'], [], 'layout table needs a table | bind the input `labels` to its csv file'],
    ['an empty file', {}, ['a.wav'], [[]], 'the labels table is empty; a header row is needed'],
    ['a table without rows', {}, ['a.wav'], [[head]], 'the labels table has no rows'],
    [
      'a column that is not there',
      {labelColumn: 'sound', foldColumn: 'part'},
      ['a.wav'],
      [[head, 'a.wav,x']],
      '2 problems with the dataset\n' +
        '  - the labels table, line 1: no column `sound`, which the param labelColumn names; the header has `fname`, `label`\n' +
        '  - the labels table, line 1: no column `part`, which the param foldColumn names; the header has `fname`, `label`',
    ],
    [
      'a header of no layout',
      {},
      ['a.wav'],
      [['sound,what', 'a.wav,x']],
      'the labels table, line 1: this is no table of layout table: there is no column `fname`, `label` | ' +
        'the header has `sound`, `what`, which fits no layout: name the columns by params of layout table, such as `labelColumn`',
    ],
    [
      "another layout's header",
      {layout: 'fsdkaggle2018'},
      ['a.wav'],
      [['slice_file_name,fsID,start,end,salience,fold,classID,class', 'a.wav,1,0,1,1,1,0,air_conditioner']],
      'the labels table, line 1: this is no table of layout fsdkaggle2018: there is no column `fname`, `label`, ' +
        '`manually_verified` | the header has `slice_file_name`, `fsID`, `start`, `end`, `salience`, `fold`, `classID`, ' +
        '`class`, which fits layout `table` and `urbansound8k`',
    ],
    [
      'semicolons between the fields',
      {},
      ['a.wav'],
      [['fname;label', 'a.wav;x']],
      'there is no column `fname`, `label` | its fields are separated by semicolons; save it with commas',
    ],
    [
      'tabs between the fields',
      {},
      ['a.wav'],
      [['fname\tlabel', 'a.wav\tx']],
      'there is no column `fname`, `label` | its fields are separated by tabs; save it with commas',
    ],
    [
      'labels that differ in case only',
      {},
      ['a.wav', 'b.wav', 'c.wav'],
      [[head, 'a.wav,Bell', 'b.wav,bell', 'c.wav,Bell']],
      'labels `Bell` (2 clips, the labels table, line 2) and `bell` (1 clip, the labels table, line 3) differ in case only | ' +
        'write them alike, or give the input `vocabulary` if they are different labels',
    ],
    [
      'rows of a wrong length',
      {},
      ['a.wav'],
      [[head, 'a.wav', 'b.wav,x,y']],
      "the labels table has 2 rows of another length than the header's 2 fields: line 2 has 1, line 3 has 3 | " +
        'a comma inside a field needs quotes around the field',
    ],
    [
      'a file named twice',
      {},
      ['a.wav'],
      [[head, 'a.wav,x', 'a.wav,x']],
      'the labels table, line 3: `a.wav` is on line 2 already',
    ],
    [
      'a file named in two tables',
      {},
      ['a.wav'],
      [
        [head, 'a.wav,x'],
        [head, 'a.wav,x'],
      ],
      'labels table 2, line 2: `a.wav` is on labels table 1, line 2 already',
    ],
    [
      'a file under two names',
      {},
      ['x/a.wav'],
      [[head, 'a.wav,x', 'x/a.wav,x']],
      'the labels table, line 3: `x/a.wav` is the file `x/a.wav`, as is `a.wav` (the labels table, line 2)',
    ],
    [
      'a name that fits several files',
      {},
      ['x/a.wav', 'y/a.wav'],
      [[head, 'a.wav,x']],
      'the labels table, line 2: `a.wav` may be any of `x/a.wav`, `y/a.wav` | write the path',
    ],
    [
      'files that differ in their extension',
      {},
      ['a.flac', 'a.wav'],
      [[head, 'a.flac,x', 'a.wav,x']],
      'clips `a.flac` and `a.wav` differ only in their extension',
    ],
    [
      'a missing file',
      {},
      ['a.wav'],
      [[head, 'a.wav,x', 'b.wav,x']],
      'the labels table names 1 file that the clips lack: `b.wav` (line 3) | add the files, see that ' +
        'the include pattern of the source takes them, or set `missing: skip`',
    ],
    [
      'no file at all',
      {missing: 'skip'},
      ['z.txt'],
      [[head, 'a.wav,x', 'b.wav,x']],
      'none of the 2 labelled files is in the folder of clips: it has `z.txt`, not `a.wav` | ' +
        'does the source of the clips name the right folder?',
    ],
    [
      'a file without a label',
      {},
      ['a.wav', 'b.wav'],
      [[head, 'a.wav,x']],
      '1 file without a label: `b.wav` | label them, leave them out by the include pattern of the source, or set ' +
        '`unlabelled: skip`',
    ],
    [
      'all that is wrong at once',
      {},
      ['a.wav', 'b.wav', 'c.wav'],
      [
        [
          'fname,label,split,fold,manually_verified',
          'a.wav,,train,1,yes',
          ',x,tests,,1',
          'b.wav,x,test,2,1',
          'd.wav,x,,two,1',
        ],
      ],
      '7 problems with the dataset\n' +
        '  - the labels table, line 2: label is empty\n' +
        '  - the labels table, line 2: manually_verified is `yes`; 0 or 1 is needed\n' +
        '  - the labels table, line 3: split is `tests`; train or test is needed\n' +
        '  - the labels table, line 3: fname is empty\n' +
        '  - the labels table, line 4: fold is `2`; nothing, because split is test, is needed\n' +
        '  - the labels table, line 5: fold is `two`; a whole number from 0 is needed\n' +
        '  - the labels table names 1 file that the clips lack: `d.wav` (line 5); add the files, see that ' +
        'the include pattern of the source takes them, or set `missing: skip`',
    ],
    [
      'a param of another layout',
      {subset: 'esc10'},
      ['a.wav'],
      [[head, 'a.wav,x']],
      'the param subset is `esc10`, which does nothing in layout table | it belongs to layout esc50',
    ],
  ])('refuses %s', async (_, params, files, tables, message) => {
    expect(await failure(params, tree(files), ...tables.map((lines) => ({content: lines.join('\n')})))).toContain(
      message,
    );
  });
});

describe('a vocabulary', () => {
  test('may have labels that differ in case only', async () => {
    const labels = csv('fname,label', 'a.wav,us', 'b.wav,US');
    const {metrics} = await runStage(stage, {
      inputs: {clips: tree(['a.wav', 'b.wav']), labels, vocabulary: {content: 'us\nUS\n'}},
    });
    expect(metrics).toMatchObject({classes: 2});
  });

  const labels = csv('fname,label', 'a.wav,Bel', 'b.wav,Cow', 'c.wav,Bel');
  const clips = tree(['a.wav', 'b.wav', 'c.wav']);
  test.each<[string, string]>([
    ['a list', 'Bell\r\nCow\n\n'],
    ['a csv file of labels', 'index,label\n0,Bell\n1,Cow\n'],
    ["AudioSet's", 'index,mid,display_name\n0,/m/1,"Bell"\n1,/m/2,Cow\n'],
  ])('%s finds labels that it lacks', async (_, content) => {
    const promise = runStage(stage, {inputs: {clips, labels, vocabulary: {content}}});
    await expect(promise).rejects.toMatchObject({
      message: 'label `Bel` is not in the vocabulary (the labels table, lines 2, 4)',
      hint: 'did you mean `Bell`?',
    });
  });

  test.each<[string, string, string]>([
    ['nothing', '\n', 'the vocabulary has no labels'],
    ['a label twice', 'Bell\nCow\nBell\n', 'the vocabulary has the label `Bell` twice'],
  ])('with %s is refused', async (_, content, message) => {
    await expect(runStage(stage, {inputs: {clips, labels, vocabulary: {content}}})).rejects.toThrow(message);
  });
});

describe('files with the same bytes', () => {
  const clips = {files: {'a.wav': wav(1), 'b.wav': wav(2), 'c.wav': wav(1), 'd.wav': wav(2), 'e.wav': wav(3)}};
  const table = (...groups: string[]) =>
    csv('fname,label,group', ...['a', 'b', 'c', 'd', 'e'].map((name, i) => `${name}.wav,x,${groups[i] ?? ''}`));

  test('get one group', async () => {
    const {rows, logs, metrics} = await run({}, clips, table());
    expect(rows.map((row) => row.split(',').at(-1))).toEqual(['same as a', 'same as b', 'same as a', 'same as b', '']);
    expect(logs).toEqual(['4 clips with the bytes of another, kept together: `a.wav` = `c.wav`, `b.wav` = `d.wav`']);
    expect(metrics).toMatchObject({duplicates: 4});
  });

  test('join the groups they have', async () => {
    const {rows} = await run({}, clips, table('t1', 't2', '', 't1', 't2'));
    expect(rows.map((row) => row.split(',').at(-1))).toEqual(['t2', 't2', 't2', 't2', 't2']);
    const apart = await run({}, clips, table('', '', 'same as b', 't3', 't3'));
    expect(apart.rows.map((row) => row.split(',').at(-1))).toEqual(['same as b', 't3', 'same as b', 't3', 't3']);
    const named = await run({}, clips, table('', '', '', '', 'same as a'));
    expect(named.rows.map((row) => row.split(',').at(-1))).toEqual([
      'same as a=',
      'same as b',
      'same as a=',
      'same as b',
      'same as a',
    ]);
  });

  test('are refused with other labels, and wherever duplicates shall fail', async () => {
    const lines = ['a,x', 'b,x', 'c,y', 'd,x', 'e,x'].map((row) => row.replace(',', '.wav,'));
    const labels = csv('fname,label', ...lines);
    const message =
      'clips `a.wav` and `c.wav` have the same bytes, but different labels: `x` (the labels table, line 2), ' +
      '`y` (the labels table, line 4) | remove all but the right one';
    expect(await failure({}, clips, labels)).toBe(message);
    expect(await failure({duplicates: 'fail'}, clips, table())).toBe(
      '2 problems with the dataset\n  - clips `a.wav` and `c.wav` have the same bytes; remove all but one\n' +
        '  - clips `b.wav` and `d.wav` have the same bytes; remove all but one',
    );
    const {rows, metrics} = await run({duplicates: 'ignore'}, clips, labels);
    expect([rows.length, metrics['duplicates']]).toEqual([5, 0]);
  });

  test('need samples, and all bytes', async () => {
    const long = (last: number): Uint8Array =>
      Uint8Array.from({length: 10_000}, (_, i) => (i === 9999 ? last : i & 255));
    const silent = encodeWav({sampleRate: 16000, channels: [new Float64Array(0)]}, 'pcm16');
    const files = {'a.wav': silent, 'b.wav': silent, 'c.wav': '', 'd.wav': long(1), 'e.wav': long(2)};
    expect((await run({}, {files}, table())).metrics).toMatchObject({duplicates: 0});
    expect((await run({}, {files: {...files, 'd.wav': long(2)}}, table())).metrics).toMatchObject({duplicates: 2});
  });
});

describe('layout folders', () => {
  test('takes the first folder as the label', async () => {
    const {rows} = await run({layout: 'folders'}, tree(['Bell/a.wav', 'Cow/x/b.wav', 'train/c.wav']));
    expect(rows).toEqual(['Bell/a.wav,Bell,1,,,', 'Cow/x/b.wav,Cow,1,,,', 'train/c.wav,train,1,,,']);
  });

  test('takes train and test as the split', async () => {
    const {rows} = await run({layout: 'folders'}, tree(['test/Cow/b.wav', 'train/Bell/a.wav', 'train/Cow/c.wav']));
    expect(rows).toEqual([
      'test/Cow/b.wav,Cow,1,test,0,',
      'train/Bell/a.wav,Bell,1,train,,',
      'train/Cow/c.wav,Cow,1,train,,',
    ]);
    const alone = await run({layout: 'folders'}, tree(['train/Bell/a.wav', 'train/Cow/c.wav']));
    expect(alone.rows).toEqual(['train/Bell/a.wav,Bell,1,,,', 'train/Cow/c.wav,Cow,1,,,']);
    expect(alone.logs).toEqual(['no clip belongs to an official test set: test clips are left to be drawn']);
  });

  test.each<[string, Params, string[], string[][], string]>([
    ['clips without folders', {}, ['a.wav'], [], 'no clip lies in a folder, such as `a.wav`'],
    ['a file beside the folders', {}, ['x/a.wav', 'notes.txt'], [], '1 file without a label: `notes.txt`'],
    [
      'splits without labels',
      {},
      ['train/a.wav', 'test/b.wav'],
      [],
      'the clips lie in `train` and `test`, but not all of them in the folder of a label: `test/b.wav`, `train/a.wav`',
    ],
    [
      'a third split',
      {},
      ['train/x/a.wav', 'test/x/b.wav', 'validation/x/c.wav'],
      [],
      'the clips lie in `train`, and in `validation` beside it: are the folders splits or labels?',
    ],
    ['a table', {}, ['x/a.wav'], [['fname,label', 'a.wav,x']], 'layout folders reads the labels off the folders'],
    ['nothing', {}, [], [], 'no file of the folder of clips has a label: the folder is empty'],
  ])('refuses %s', async (_, params, files, tables, message) => {
    const labels = tables.map((lines) => csv(...lines));
    expect(await failure({...params, layout: 'folders'}, tree(files), ...labels)).toContain(message);
  });
});

describe('layout fsdkaggle2018', () => {
  const layout = 'fsdkaggle2018';
  const train = csv('fname,label,manually_verified', '00a.wav,Hi-hat,0', '00b.wav,Bark,1');
  const trainPost = csv(
    'fname,label,manually_verified,freesound_id,license',
    '00a.wav,Hi-hat,0,28739,Attribution',
    '00b.wav,Bark,1,358827,Attribution',
  );
  const testPost = csv(
    'fname,label,usage,freesound_id,license',
    '00c.wav,None,Ignored,88926,Attribution',
    '00d.wav,Oboe,Private,355125,Attribution',
    '00e.wav,Bark,Public,90621,Creative Commons 0',
  );
  const scoring = csv(
    'fname,label,usage,freesound_id,license',
    '00d.wav,Oboe,Private,355125,Attribution',
    '00e.wav,Bark,Public,90621,Creative Commons 0',
  );
  const kaggle = tree(['audio_train/00a.wav', 'audio_train/00b.wav']);
  const zenodo = tree([
    'FSDKaggle2018.audio_train/00a.wav',
    'FSDKaggle2018.audio_train/00b.wav',
    ...['00c', '00d', '00e'].map((name) => `FSDKaggle2018.audio_test/${name}.wav`),
  ]);
  const clip = (path: string) => `FSDKaggle2018.audio_${path}`;

  test('the csv of Kaggle alone leaves the test clips to be drawn', async () => {
    const {rows, logs} = await run({layout}, kaggle, train);
    expect(rows).toEqual(['audio_train/00a.wav,Hi-hat,0,,,', 'audio_train/00b.wav,Bark,1,,,']);
    expect(logs).toEqual(['no clip belongs to an official test set: test clips are left to be drawn']);
  });

  test('all the tables together, in any order', async () => {
    const expected = [
      clip('test/00d.wav,Oboe,1,test,0,355125,private'),
      clip('test/00e.wav,Bark,1,test,0,90621,public'),
      clip('train/00a.wav,Hi-hat,0,train,,28739,'),
      clip('train/00b.wav,Bark,1,train,,358827,'),
    ];
    const {rows, logs, metrics} = await run({layout}, zenodo, train, trainPost, testPost, scoring);
    expect(rows).toEqual(expected);
    expect(logs).toEqual(['1 labelled file left out: padding of the test set']);
    expect(metrics).toMatchObject({clips: 4, classes: 3, testClips: 2, leftOut: 1});
    expect((await run({layout}, zenodo, scoring, testPost, trainPost, train)).rows).toEqual(expected);
  });

  test('part of the test set, verified train clips', async () => {
    const {rows, logs} = await run({layout, usage: 'public', subset: 'verified'}, zenodo, testPost, trainPost);
    expect(rows).toEqual([
      clip('test/00e.wav,Bark,1,test,0,90621,public'),
      clip('train/00b.wav,Bark,1,train,,358827,'),
    ]);
    expect(logs).toEqual([
      '1 labelled file left out: padding of the test set',
      '1 labelled file left out: not of the public part of the test set',
      '1 labelled file left out: not verified',
    ]);
  });

  test('published folds count from 0', async () => {
    const labels = csv('fname,label,manually_verified,fold', '00a.wav,Hi-hat,0,0', '00b.wav,Bark,1,1');
    expect((await run({layout, firstFold: 0}, kaggle, labels)).rows).toEqual([
      'audio_train/00a.wav,Hi-hat,0,train,1,',
      'audio_train/00b.wav,Bark,1,train,2,',
    ]);
    expect(await failure({layout}, kaggle, labels)).toBe(
      'the labels table, line 2: fold is `0`; a whole number from 1, or the param firstFold: 0, is needed',
    );
  });

  test('refuses tables that disagree, and labels that are not among the 41', async () => {
    const other = csv('fname,label,manually_verified', '00a.wav,Hi_hat,0', '00b.wav,Bark,0');
    expect(await failure({layout}, kaggle, train, other)).toBe(
      '3 problems with the dataset\n' +
        '  - labels table 2, line 2: `00a.wav` is `Hi_hat`, but `Hi-hat` on labels table 1, line 2\n' +
        '  - labels table 2, line 3: `00b.wav` is a not verified train clip, but a verified train clip on labels table 1, line 3\n' +
        '  - label `Hi_hat` is not in the vocabulary (labels table 2, line 2); did you mean `Hi-hat`?',
    );
    const twice = csv('fname,label,manually_verified', '00a.wav,Hi-hat,0', '00b.wav,Bark,1', '00a.wav,Hi-hat,0');
    expect(await failure({layout}, kaggle, train, twice)).toBe(
      'labels table 2, line 4: `00a.wav` is on line 2 already',
    );
    const usage = csv('fname,label,usage', '00e.wav,Bark,public');
    expect(await failure({layout}, zenodo, trainPost, usage)).toContain(
      'labels table 2, line 2: usage is `public`; Public, Private or Ignored is needed',
    );
  });

  const meta = sharedData('fsdkaggle2018-meta');
  test.skipIf(meta === undefined)('reads the released tables: rows and clips of each class', async () => {
    const path = (name: string): string => join(meta!, name);
    const names = ['train.csv', 'test_post_competition.csv'].flatMap((name) =>
      readCsv(path(name), ['fname']).map(({fname}) => fname ?? ''),
    );
    expect(names.length).toBe(9473 + 9400);
    const entries = names.map((name) => ({path: name, key: name.replace('.wav', ''), file: '', size: 0}));
    const read = (usage: 'both' | 'public' | 'private', ...tables: string[]) => {
      const options = {...defaults, layout, usage} as const;
      const inputs = {clips: {entries, file: String}, labels: tables.map(path), vocabulary: undefined};
      return makeDataset(options, inputs, new AbortController().signal, () => {});
    };
    const all = read(
      'both',
      'train.csv',
      'train_post_competition.csv',
      'test_post_competition.csv',
      'test_post_competition_scoring_clips.csv',
    );
    expect(all.counts).toMatchObject({clips: 9473 + 1600, classes: 41, testClips: 1600, leftOut: 7800, unlabelled: 0});
    const {rows} = all;
    expect(rows.filter(({split, verified}) => split === 'train' && verified).length).toBe(3710);
    // No two clips come from one recording, so groups cost nothing here.
    expect(new Set(rows.map(({group}) => group)).size).toBe(9473 + 1600);
    const counts = LAYOUTS.fsdkaggle2018.vocabulary?.map((label) => {
      const own = rows.filter((row) => row.label === label);
      const inTrain = own.filter(({split}) => split === 'train');
      return `${label} ${inTrain.length}(${inTrain.filter(({verified}) => verified).length}) ${own.length - inTrain.length}`;
    });
    expect(counts?.join('; ')).toBe(CLASS_COUNTS);
    const publicTest = read('public', 'train.csv', 'test_post_competition.csv').counts;
    expect(publicTest).toMatchObject({clips: 9473 + 301, testClips: 301, leftOut: 9400 - 301});
    expect(read('private', 'test_post_competition_scoring_clips.csv').counts).toMatchObject({
      clips: 1299,
      leftOut: 301,
    });
  });

  const real = sharedData('fsdkaggle2018-clips/audio_train');
  test.skipIf(meta === undefined || real === undefined)('reads 150 clips with the table of all', async () => {
    const all = join(meta!, 'train_post_competition.csv');
    expect(await failure({layout}, real!, all)).toContain('the labels table names 9323 files that the clips lack');
    const {path, metrics} = await run({layout, missing: 'skip'}, real!, all);
    expect(metrics).toMatchObject({clips: 150, classes: 10, missing: 9323, unlabelled: 0, duplicates: 0});
    const {metrics: folded} = await runStage(folds, {inputs: {labels: path, clips: real!}});
    expect(folded).toMatchObject({clips: 150, testClips: 30, classesMissingInFolds: 0, classesMissingInTest: 0});
  });
});

/** Of the stage's params. */
const defaults = {
  missing: 'fail',
  unlabelled: 'skip',
  duplicates: 'ignore',
  subset: 'all',
  fileColumn: '',
  labelColumn: '',
  verifiedColumn: '',
  splitColumn: '',
  foldColumn: '',
  groupColumn: '',
  firstFold: 1,
} as const;

/** Train clips (of them verified), test clips. */
const CLASS_COUNTS =
  'Acoustic_guitar 300(105) 45; Applause 300(61) 32; Bark 239(67) 28; Bass_drum 300(67) 28; ' +
  'Burping_or_eructation 210(75) 32; Bus 109(59) 25; Cello 300(125) 54; Chime 115(66) 29; Clarinet 300(130) 56; ' +
  'Computer_keyboard 119(60) 26; Cough 243(69) 30; Cowbell 191(96) 42; Double_bass 300(92) 40; ' +
  'Drawer_open_or_close 158(67) 29; Electric_piano 150(74) 32; Fart 300(71) 30; Finger_snapping 117(77) 33; ' +
  'Fireworks 300(75) 32; Flute 300(128) 55; Glockenspiel 94(70) 29; Gong 292(85) 37; Gunshot_or_gunfire 147(145) 63; ' +
  'Harmonica 165(88) 33; Hi-hat 300(89) 39; Keys_jangling 139(66) 28; Knock 279(90) 39; Laughter 300(88) 38; ' +
  'Meow 155(69) 29; Microwave_oven 146(67) 29; Oboe 299(99) 42; Saxophone 300(256) 110; Scissors 95(59) 25; ' +
  'Shatter 300(67) 29; Snare_drum 300(70) 34; Squeak 300(69) 29; Tambourine 221(92) 40; Tearing 300(62) 27; ' +
  'Telephone 120(112) 48; Trumpet 300(86) 37; Violin_or_fiddle 300(250) 108; Writing 270(67) 29';

describe('layout esc50', () => {
  const layout = 'esc50';
  const head = 'filename,fold,target,category,esc10,src_file,take';
  const labels = csv(
    head,
    '1-100032-A-0.wav,1,0,dog,True,100032,A',
    '1-100038-A-14.wav,1,14,chirping_birds,False,100038,A',
    '2-114280-A-0.wav,2,0,dog,True,114280,A',
    '2-114280-B-0.wav,2,0,dog,True,114280,B',
  );
  const files = ['1-100032-A-0', '1-100038-A-14', '2-114280-A-0', '2-114280-B-0'].map((name) => `audio/${name}.wav`);

  test('keeps the official folds, and takes the source file as the group', async () => {
    const {rows, path} = await run({layout}, tree(files), labels);
    expect(rows).toEqual([
      'audio/1-100032-A-0.wav,dog,1,train,1,100032',
      'audio/1-100038-A-14.wav,chirping_birds,1,train,1,100038',
      'audio/2-114280-A-0.wav,dog,1,train,2,114280',
      'audio/2-114280-B-0.wav,dog,1,train,2,114280',
    ]);
    const {metrics} = await runStage(folds, {params: {folds: 2}, inputs: {labels: path, clips: tree(files)}});
    expect(metrics).toMatchObject({testClips: 0, classesMissingInFolds: 1, classesMissingInTraining: 1});
    await expect(runStage(folds, {inputs: {labels: path, clips: tree(files)}})).rejects.toMatchObject({
      message: 'the labels table has folds 1 ... 2 (fold 2 on line 4), but the param folds is 5',
      hint: 'set `folds: 2`, or `official: split` to draw the folds anew',
    });
  });

  test('ESC-10 is a subset', async () => {
    const {rows, logs} = await run({layout, subset: 'esc10'}, tree(files), labels);
    expect(rows.map((row) => row.split(',')[1])).toEqual(['dog', 'dog', 'dog']);
    expect(logs).toEqual(['1 labelled file left out: not of ESC-10']);
  });

  test('the layout of the first release needs no table', async () => {
    const paths = ['001 - Dog bark/1-30226-A.ogg', '001 - Dog bark/2-30226-B.ogg', '010 - Fire crackling/5-1-A.ogg'];
    expect((await run({layout}, tree(paths))).rows).toEqual([
      '001 - Dog bark/1-30226-A.ogg,Dog bark,1,train,1,30226',
      '001 - Dog bark/2-30226-B.ogg,Dog bark,1,train,2,30226',
      '010 - Fire crackling/5-1-A.ogg,Fire crackling,1,train,5,1',
    ]);
    expect(await failure({layout}, tree(files))).toContain('give meta/esc50.csv as `labels`');
  });

  test('refuses a category that is not of its target', async () => {
    const wrong = csv(head, '1-100032-A-0.wav,1,1,dog,True,100032,A', '1-100038-A-14.wav,0,50,owl,?,,A');
    expect(await failure({layout, unlabelled: 'skip'}, tree(files), wrong)).toBe(
      '5 problems with the dataset\n' +
        '  - the labels table, line 2: category is `dog`; `rooster`, as target is 1, is needed\n' +
        '  - the labels table, line 3: category is `owl`; a target of 0 ... 49 is needed\n' +
        '  - the labels table, line 3: esc10 is `?`; 0 or 1 is needed\n' +
        '  - the labels table, line 3: fold is `0`; a whole number from 1 is needed\n' +
        '  - the labels table, line 3: src_file is empty',
    );
  });
});

describe('layout urbansound8k', () => {
  const layout = 'urbansound8k';
  const head = 'slice_file_name,fsID,start,end,salience,fold,classID,class';
  const labels = csv(
    head,
    '100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark',
    '100263-2-0-117.wav,100263,58.5,62.5,1,5,2,children_playing',
    '102842-3-1-5.wav,102842,1,2,2,10,3,dog_bark',
  );

  test('keeps the official folds, and takes the recording as the group', async () => {
    const files = ['audio/fold10/102842-3-1-5.wav', 'audio/fold5/100032-3-0-0.wav', 'audio/fold5/100263-2-0-117.wav'];
    expect((await run({layout}, tree(files), labels)).rows).toEqual([
      'audio/fold10/102842-3-1-5.wav,dog_bark,1,train,10,102842',
      'audio/fold5/100032-3-0-0.wav,dog_bark,1,train,5,100032',
      'audio/fold5/100263-2-0-117.wav,children_playing,1,train,5,100263',
    ]);
    const flat = files.map((file) => file.slice(file.lastIndexOf('/') + 1));
    expect((await run({layout}, tree(flat), labels)).rows[0]).toBe('100032-3-0-0.wav,dog_bark,1,train,5,100032');
  });

  test('refuses a clip in the folder of another fold, and a class that is not of its number', async () => {
    const files = ['fold10/102842-3-1-5.wav', 'fold5/100032-3-0-0.wav', 'fold6/100263-2-0-117.wav'];
    expect(await failure({layout, unlabelled: 'skip'}, tree(files), labels)).toBe(
      'the labels table, line 3: `fold5/100263-2-0-117.wav` lies in fold6, but its fold is 5',
    );
    const wrong = csv(head, '102842-3-1-5.wav,102842,1,2,2,10,3,siren');
    expect(await failure({layout, unlabelled: 'skip'}, tree(files), wrong)).toBe(
      'the labels table, line 2: class is `siren`; `dog_bark`, as classID is 3, is needed',
    );
  });
});

test('gives up when it is cancelled', async () => {
  const clips = {files: {'a.wav': wav(1), 'b.wav': wav(2)}};
  const signal = AbortSignal.abort(new Error('cancelled'));
  const labels = csv('fname,label', 'a.wav,x', 'b.wav,x');
  await expect(runStage(stage, {inputs: {clips, labels}, signal})).rejects.toThrow('cancelled');
});
