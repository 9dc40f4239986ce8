import type {InputTree} from 'mixdown/stage';
import {firstOf, type Problems} from '../problems.ts';
import type {LabelledFile, Layout} from './layout.ts';

/** A folder a class: `Bark/a.wav`, or `train/Bark/a.wav` and `test/Bark/b.wav`. Needs no table. */
export const folders: Layout = {
  headers: () => [],
  vocabulary: undefined,
  tablesOverlap: false,
  splitNeedsTest: true,
  anyExtension: false,
  read: () => [],
  readTree(clips, problems) {
    const hasSplits = hasSplitLevel(clips, problems);
    const [first] = clips.entries;
    if (first !== undefined && clips.entries.every(({path}) => !path.includes('/'))) {
      problems.add(
        `no clip lies in a folder, such as \`${first.path}\``,
        'layout folders needs paths such as `Bark/a.wav`',
      );
    }
    return clips.entries.flatMap(({path}): readonly LabelledFile[] => {
      const parts = path.split('/').slice(0, -1);
      const split = hasSplits ? parts.shift() : undefined;
      const [label] = parts;
      if (label === undefined) return [];
      return [
        {
          names: [path],
          label,
          verified: true,
          split: split === 'train' || split === 'test' ? split : undefined,
          fold: undefined,
          group: '',
          leftOut: undefined,
          place: {table: `\`${path}\``, line: 0},
        },
      ];
    });
  },
};

/** All files lie in folders of `train` and `test`. A dataset may have a class named `train`: its files lie in no folder. */
function hasSplitLevel({entries}: InputTree, problems: Problems): boolean {
  const inFolders = entries.map(({path}) => path.split('/')).filter((parts) => parts.length > 1);
  const tops = new Set(inFolders.map(([top]) => top ?? ''));
  if (!tops.has('train')) return false;
  const isSplit = (top: string): boolean => top === 'train' || top === 'test';
  const flat = inFolders.filter((parts) => parts.length === 2 && isSplit(parts[0] ?? ''));
  const others = [...tops].filter((top) => !isSplit(top));
  if (others.length === 0) {
    if (flat.length > 0) {
      problems.add(
        `the clips lie in \`train\` and \`test\`, but not all of them in the folder of a label: ` +
          firstOf(flat.map((parts) => `\`${parts.join('/')}\``)),
        'a path is split/label/file or label/file',
      );
    }
    return true;
  }
  if (flat.length === 0) {
    problems.add(
      `the clips lie in \`train\`, and in ${firstOf(others.map((top) => `\`${top}\``))} beside it: ` +
        'are the folders splits or labels?',
      'only `train` and `test` are splits; leave others out by the include pattern of the source',
    );
  }
  return false;
}
