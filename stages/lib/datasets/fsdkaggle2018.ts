import {cellsOf, type Cells} from './cells.ts';
import type {LabelledFile, Layout, LayoutOptions} from './layout.ts';

/**
 * FSDKaggle2018, the data of DCASE 2018 Task 2: any of train.csv, train_post_competition.csv, test_post_competition.csv and
 * test_post_competition_scoring_clips.csv, or an extract of one, told apart by their headers. Every test label was verified.
 * Test rows with usage `Ignored`, whose label is `None`, are padding and never clips.
 */
export const fsdkaggle2018: Layout = {
  headers: () => [
    ['fname', 'label', 'manually_verified'],
    ['fname', 'label', 'usage'],
  ],
  vocabulary: (
    'Acoustic_guitar Applause Bark Bass_drum Burping_or_eructation Bus Cello Chime Clarinet Computer_keyboard Cough Cowbell ' +
    'Double_bass Drawer_open_or_close Electric_piano Fart Finger_snapping Fireworks Flute Glockenspiel Gong ' +
    'Gunshot_or_gunfire Harmonica Hi-hat Keys_jangling Knock Laughter Meow Microwave_oven Oboe Saxophone Scissors Shatter ' +
    'Snare_drum Squeak Tambourine Tearing Telephone Trumpet Violin_or_fiddle Writing'
  ).split(' '),
  tablesOverlap: true,
  splitNeedsTest: true,
  anyExtension: false,
  readTree: undefined,
  read(table, options, problems) {
    const isTest = table.columns.includes('usage');
    return table.rows.map((row) => {
      const cells = cellsOf(table, row, problems);
      return isTest ? readTest(cells, options) : readTrain(cells, options);
    });
  },
};

function readTrain(cells: Cells, {subset, firstFold}: LayoutOptions): LabelledFile {
  const verified = cells.flag('manually_verified');
  const fold = cells.fold('fold', firstFold);
  if (fold === 0) cells.wrong('fold', 'a whole number from 1, or the param firstFold: 0,');
  return {
    ...readClip(cells),
    verified,
    split: 'train',
    fold,
    leftOut: subset === 'verified' && !verified ? 'not verified' : undefined,
  };
}

function readTest(cells: Cells, {usage: wanted}: LayoutOptions): LabelledFile {
  const usage = cells.oneOf('usage', ['Public', 'Private', 'Ignored']);
  const clip = readClip(cells);
  const leftOut =
    usage === 'Ignored' || clip.label === 'None'
      ? 'padding of the test set'
      : wanted !== 'both' && usage?.toLowerCase() !== wanted
        ? `not of the ${wanted} part of the test set`
        : undefined;
  const part = usage === 'Public' ? 'public' : 'private';
  return {...clip, verified: true, split: 'test', fold: undefined, usage: part, leftOut};
}

function readClip(cells: Cells): Pick<LabelledFile, 'names' | 'label' | 'group' | 'place'> {
  return {
    names: [cells.text('fname')],
    label: cells.text('label'),
    group: cells.optional('freesound_id'),
    place: cells.place,
  };
}
