import {StageError} from 'mixdown/stage';
import {csvWriter} from '../formats/csv-writer.ts';

/** A record whose content is wrong, by itself: the others of its file may be good. The message does not name the record. */
export class BadRecord extends StageError {}

/** Where a record lies. */
export interface RecordPlace {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** Byte of the file at which it starts. */
  readonly offset: number;
}

/** Collects the bad records of a set of shards in a table: shard,record,byte,reason. */
export interface BadRecordReport {
  readonly count: number;
  add(shard: string, place: RecordPlace, reason: string): void;
  /** Throws StageError that names the first twenty, when there is one. */
  refuse(): void;
  close(): void;
}

/** Starts the table. Whatever happens, it must be closed. */
export function badRecordReport(path: string): BadRecordReport {
  const table = csvWriter(path, ['shard', 'record', 'byte', 'reason']);
  const first: string[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(shard, {number, offset}, reason) {
      table.write([shard, number, offset, reason]);
      if (++count <= MOST_NAMED) first.push(`shard \`${shard}\`, record ${number} (byte ${offset}): ${reason}`);
    },
    refuse() {
      if (count === 0) return;
      const head = count === 1 ? 'a record is bad' : `${count} records are bad`;
      const rest = count > MOST_NAMED ? `\n  and ${count - MOST_NAMED} more` : '';
      throw new StageError(
        `${head}:\n  ${first.join('\n  ')}${rest}`,
        'fetch these shards again, or set onBadRecord: skip, which leaves the records out and lists all of them',
      );
    },
    close: () => table.close(),
  };
}

const MOST_NAMED = 20;
