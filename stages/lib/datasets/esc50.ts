import type {InputTree} from 'mixdown/stage';
import {firstOf, type Problems} from '../problems.ts';
import {cellsOf, type Cells} from './cells.ts';
import type {LabelledFile, Layout, LayoutOptions} from './layout.ts';

/**
 * ESC-50 and its part ESC-10: `meta/esc50.csv` with five official folds. Clips cut from one recording share `src_file`.
 * Without a table, the first release's layout: `101 - Dog/1-30226-A.ogg` is a clip of fold 1 and of recording 30226.
 */
export const esc50: Layout = {
  headers: () => [['filename', 'fold', 'target', 'category', 'esc10', 'src_file']],
  vocabulary: undefined,
  tablesOverlap: false,
  splitNeedsTest: false,
  anyExtension: false,
  read: (table, options, problems) => table.rows.map((row) => readRow(cellsOf(table, row, problems), options)),
  readTree,
};

/** In the order of `target`. */
const CATEGORIES = (
  'dog rooster pig cow frog cat hen insects sheep crow rain sea_waves crackling_fire crickets chirping_birds water_drops ' +
  'wind pouring_water toilet_flush thunderstorm crying_baby sneezing clapping breathing coughing footsteps laughing ' +
  'brushing_teeth snoring drinking_sipping door_wood_knock mouse_click keyboard_typing door_wood_creaks can_opening ' +
  'washing_machine vacuum_cleaner clock_alarm clock_tick glass_breaking helicopter chainsaw siren car_horn engine train ' +
  'church_bells airplane fireworks hand_saw'
).split(' ');

function readRow(cells: Cells, {subset}: LayoutOptions): LabelledFile {
  const label = cells.text('category');
  const target = cells.wholeNumber('target', 0);
  const expected = target === undefined ? label : CATEGORIES[target];
  if (label !== '' && expected !== label) {
    cells.wrong(
      'category',
      expected === undefined ? 'a target of 0 ... 49' : `\`${expected}\`, as target is ${target},`,
    );
  }
  const inEsc10 = cells.flag('esc10');
  return {
    names: [cells.text('filename')],
    label,
    verified: true,
    split: 'train',
    fold: cells.wholeNumber('fold', 1),
    group: cells.text('src_file'),
    leftOut: subset === 'esc10' && !inEsc10 ? 'not of ESC-10' : undefined,
    place: cells.place,
  };
}

function readTree(clips: InputTree, problems: Problems): readonly LabelledFile[] {
  const files = clips.entries.flatMap(({path}): readonly LabelledFile[] => {
    const match = /(?:^|\/)\d+ - ([^/]+)\/(\d)-(\d+)-[^/]+$/.exec(path);
    if (match === null) return [];
    const [, label = '', fold, group = ''] = match;
    const place = {table: `\`${path}\``, line: 0};
    if (fold === '0') problems.add(`\`${path}\`: the file's name starts with fold 0; a fold from 1 is needed`);
    return [
      {names: [path], label, verified: true, split: 'train', fold: Number(fold), group, leftOut: undefined, place},
    ];
  });
  if (files.length === 0) {
    problems.add(
      'layout esc50 without a labels table needs clips such as `001 - Dog bark/1-30226-A.ogg`; there are ' +
        firstOf(clips.entries.slice(0, 3).map(({path}) => `\`${path}\``)),
      'give meta/esc50.csv as `labels`',
    );
  }
  return files;
}
