import {cellsOf, type Cells} from './cells.ts';
import type {LabelledFile, Layout} from './layout.ts';

/**
 * UrbanSound8K: `metadata/UrbanSound8K.csv`, clips in `audio/fold1` ... `audio/fold10`, which are the official folds. Clips
 * cut from one recording share `fsID`.
 */
export const urbansound8k: Layout = {
  headers: () => [['slice_file_name', 'fsID', 'fold', 'classID', 'class']],
  vocabulary: undefined,
  tablesOverlap: false,
  splitNeedsTest: false,
  anyExtension: false,
  readTree: undefined,
  contradiction({fold}, path) {
    const folder = /(?:^|\/)fold(\d+)\/[^/]*$/.exec(path)?.[1];
    return folder === undefined || Number(folder) === fold
      ? undefined
      : `lies in fold${folder}, but its fold is ${fold}`;
  },
  read: (table, _options, problems) => table.rows.map((row) => readRow(cellsOf(table, row, problems))),
};

/** In the order of `classID`. */
const CLASSES =
  'air_conditioner car_horn children_playing dog_bark drilling engine_idling gun_shot jackhammer siren street_music'.split(
    ' ',
  );

function readRow(cells: Cells): LabelledFile {
  const name = cells.text('slice_file_name');
  const label = cells.text('class');
  const classId = cells.wholeNumber('classID', 0);
  const expected = classId === undefined ? label : CLASSES[classId];
  if (label !== '' && expected !== label) {
    cells.wrong(
      'class',
      expected === undefined ? 'a classID of 0 ... 9' : `\`${expected}\`, as classID is ${classId},`,
    );
  }
  const fold = cells.wholeNumber('fold', 1);
  return {
    // An extract may have lost the folders.
    names: [`fold${fold}/${name}`, name],
    label,
    verified: true,
    split: 'train',
    fold,
    group: cells.text('fsID'),
    leftOut: undefined,
    place: cells.place,
  };
}
