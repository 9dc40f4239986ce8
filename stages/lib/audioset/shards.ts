import {StageError, type InputTree, type TreeFile} from 'mixdown/stage';

/** The shards among the files of a tree, in the order of their paths by code point. Throws StageError when there is none. */
export function shardsOf(tree: InputTree): readonly TreeFile[] {
  const shards = tree.entries.filter(({path}) => path.endsWith(SUFFIX));
  if (shards.length > 0) return shards;
  throw new StageError(
    `none of the ${tree.entries.length} files of \`shards\` ends with ${SUFFIX}`,
    'the features are released as a folder of .tfrecord files for each split',
  );
}

/**
 * The names of shards are the first two characters of their video ids, so many differ by case only. Where a file system does
 * not tell upper from lower case, unpacking leaves one of each such group, and nothing fails. With this many shards and not
 * one such group, that is what happened; fewer may be a choice of somebody's.
 */
export function looksFolded(shards: readonly TreeFile[]): boolean {
  const paths = shards.filter((shard) => letterPair(shard) !== undefined).map(({path}) => path.toLowerCase());
  return paths.length >= TELLING_SHARDS && new Set(paths).size === paths.length;
}

/**
 * Refuses a shard whose records all belong into one that is named by the same letters in another case: it was written over.
 * `prefixes` are the first two characters of its video ids.
 */
export function checkShardName(shard: TreeFile, prefixes: ReadonlySet<string>): void {
  const name = letterPair(shard);
  const [prefix = ''] = prefixes;
  if (name === undefined || prefixes.size !== 1 || name === prefix) return;
  if (name.toLowerCase() !== prefix.toLowerCase()) return;
  throw new StageError(
    `shard \`${shard.path}\` holds the records of \`${prefix}${SUFFIX}\`, and its own are lost`,
    'the files were unpacked where upper and lower case are one; unpack them again on a case-sensitive file system',
  );
}

const SUFFIX = '.tfrecord';
/** Among 200 of the 4096 names, drawn by chance, the odds that no two differ by case only are below 1 in 10 000. */
const TELLING_SHARDS = 200;

function letterPair({path}: TreeFile): string | undefined {
  return /(?:^|\/)([\w-]{2})\.tfrecord$/.exec(path)?.[1];
}
