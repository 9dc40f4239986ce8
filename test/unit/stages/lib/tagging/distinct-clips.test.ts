import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {distinctClips} from '../../../../../stages/lib/tagging/distinct-clips.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const folder = temporaryFolder();

function table(name: string, ids: readonly string[], header = 'row,video_id,labels'): string {
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, [header, ...ids.map((id, row) => `${row},${id},3;4`), ''].join('\n'));
  return path;
}

const first = table('first', ['a', 'b', 'x']);
const none = table('none', []);
const second = table('second', ['c', 'a', 'y', 'd', 'c', 'x']);

describe('distinct clips', () => {
  test('are neither scored nor there before', () => {
    expect(distinctClips([first, none, second], [3, 0, 6], ['x', 'y', 'z'])).toEqual({
      rows: Int32Array.of(0, 1, 3, 6),
      scored: 3,
      repeated: 2,
    });
    expect(distinctClips([first], [3], []).rows).toEqual(Int32Array.of(0, 1, 2));
  });

  test('need a table for each array, with a row for each clip', () => {
    expect(() => distinctClips([first], [3, 6], [])).toThrow('there are 2 arrays of features and 1 tables of clips');
    expect(() => distinctClips([first, second], [3, 5], [])).toThrow(
      'clips 2 of the training clips have 6 rows, and their features 5',
    );
    const other = table('other', ['a'], 'row,id,labels');
    expect(() => distinctClips([other], [1], [])).toThrow('line 1: no column `video_id`');
    const short = table('short', ['a,b']);
    expect(() => distinctClips([short], [1], [])).toThrow('line 2: 4 fields, the header has 3');
  });
});
