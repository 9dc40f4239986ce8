import {err, ok, type Result} from './result.ts';
import {itemKey} from './slice.ts';
import type {Tree, TreeEntry} from './tree.ts';

/** What one slice works on. */
export interface JoinedItem {
  /** Key of the leading collection's item. */
  readonly key: string;
  /** One entry of each collection, in the collections' order. */
  readonly entries: readonly TreeEntry[];
}

export interface Join {
  /** In the order of the leading collection; only items that every collection has. */
  readonly items: readonly JoinedItem[];
  /** For each collection, keys of the leading items that it lacks, in their order. */
  readonly lacking: readonly (readonly string[])[];
}

/** Two items of one collection with the same key, where the key is needed. */
export interface KeyClash {
  readonly collection: number;
  readonly key: string;
  readonly paths: readonly [string, string];
}

/**
 * Joins collections by item key, the path without its extension. The first leads: items of the others that it lacks do
 * not count. Linear in the entries.
 */
export function joinCollections(collections: readonly Tree[]): Result<Join, KeyClash> {
  const [leading, ...others] = collections;
  const tables = others.map(keyTable);
  const lacking = collections.map((): string[] => []);
  const items: JoinedItem[] = [];
  const taken = new Map<string, string>();
  for (const entry of leading?.entries ?? []) {
    const key = itemKey(entry.path);
    const other = taken.get(key);
    if (other !== undefined) return err({collection: 0, key, paths: [other, entry.path]});
    taken.set(key, entry.path);
    const entries = [entry];
    for (let at = 0; at < tables.length; at++) {
      const {byKey, twins} = tables[at]!;
      const partner = byKey.get(key);
      const twin = twins.get(key);
      if (partner && twin !== undefined) return err({collection: at + 1, key, paths: [partner.path, twin]});
      if (partner) entries.push(partner);
      else lacking[at + 1]!.push(key);
    }
    if (entries.length === collections.length) items.push({key, entries});
  }
  return ok({items, lacking});
}

/** Entries by key, and the path of a second entry where there is one. */
function keyTable({entries}: Tree): {byKey: ReadonlyMap<string, TreeEntry>; twins: ReadonlyMap<string, string>} {
  const byKey = new Map<string, TreeEntry>();
  const twins = new Map<string, string>();
  for (const entry of entries) {
    const key = itemKey(entry.path);
    if (byKey.has(key)) twins.set(key, entry.path);
    else byKey.set(key, entry);
  }
  return {byKey, twins};
}
