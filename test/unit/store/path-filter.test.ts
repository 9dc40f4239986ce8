import {expect, test} from 'vitest';
import {pathFilter} from '../../../src/store/path-filter.ts';

const cases: readonly {include?: string[]; exclude?: string[]; takes: string[]; leaves: string[]}[] = [
  {takes: ['a', 'a/b'], leaves: ['.a', 'a/.b', '.a/b']},
  {include: ['**/*.wav'], takes: ['a.wav', 'a/b/c.wav'], leaves: ['a.mp3', '.a/b.wav', 'a/.b.wav', 'wav']},
  {
    include: ['audio/*.{wav,flac}'],
    takes: ['audio/a.wav', 'audio/b.flac'],
    leaves: ['a.wav', 'audio/x/a.wav', 'audio/a.mp3'],
  },
  {include: ['raw'], takes: ['raw', 'raw/a', 'raw/b/c'], leaves: ['raws', 'x/raw']},
  {include: ['raw/'], takes: ['raw/a', 'raw/b/c'], leaves: ['x/raw/a']},
  {include: ['./raw/a.csv'], takes: ['raw/a.csv'], leaves: ['raw/b.csv']},
  {include: ['.config/*'], takes: ['.config/a'], leaves: ['config/a', '.config/.b', '.other/a']},
  {exclude: ['**/*.tmp'], takes: ['a', 'b/c'], leaves: ['a.tmp', 'b/c.tmp']},
  {exclude: ['build'], takes: ['a', 'x/build'], leaves: ['build/a', 'build/b/c']},
  {exclude: ['*'], takes: ['a/b'], leaves: ['a', 'b']},
  {include: ['**'], exclude: ['a/**'], takes: ['b', 'b/a/c'], leaves: ['a/b', 'a/b/c']},
  {include: ['[!ab]*'], takes: ['c', 'd1'], leaves: ['a', 'b1']},
  {include: ['!a'], takes: ['!a'], leaves: ['a', 'b']},
  {include: ['x[1].wav', 'x\\[1\\].wav'], takes: ['x1.wav', 'x[1].wav'], leaves: ['x.wav']},
];

test.each(cases)('include $include, exclude $exclude', async ({include = [], exclude = [], takes, leaves}) => {
  const filter = await pathFilter(include, exclude);
  const taken = [...takes, ...leaves].filter((path) => {
    const folders = path.split('/').slice(0, -1);
    const entered = folders.every((_, index) => filter.enter(folders.slice(0, index + 1).join('/')));
    return entered && filter.accept(path);
  });
  expect(taken).toEqual(takes);
});

test('folders that cannot hold a match are not read', async () => {
  const {enter} = await pathFilter(['audio/train/**/*.wav', 'meta.csv'], ['**/cache/**']);
  const folders = ['audio', 'audio/train', 'audio/train/x', 'audio/test', 'video', 'audio/train/cache', '.git'];
  expect(folders.filter(enter)).toEqual(['audio', 'audio/train', 'audio/train/x']);
});
