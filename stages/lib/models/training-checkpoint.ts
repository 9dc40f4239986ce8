import {createHash} from 'node:crypto';
import {closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {readSafeTensors, writeSafeTensors} from '../formats/safetensors.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import type {TrainerState} from './trainer.ts';

/** What a training is resumed from: its state, the best weights so far, and what else JSON can hold. */
export interface Resumable {
  readonly trainer: TrainerState;
  readonly best: Weights | undefined;
}

/** The snapshot of one training, in a folder that outlives the process. */
export interface Checkpoint<S extends Resumable> {
  /** The last snapshot that was kept; undefined when there is none that belongs to this training and is whole. */
  read(): S | undefined;
  /** Replaces it: whenever the process or the machine dies, there is the old one or the new one. */
  write(snapshot: S): void;
}

/**
 * Nothing that goes wrong here may end a training: a snapshot that cannot be read, or is of another training, is none; one
 * that cannot be written leaves the one before. `log` is told.
 *
 * @param identity - equal for two trainings if and only if they go the same way
 */
export function trainingCheckpoint<S extends Resumable>(
  folder: string,
  identity: string,
  log: (text: string) => void,
): Checkpoint<S> {
  const file = join(folder, 'snapshot.safetensors');
  const temporary = join(folder, 'snapshot.tmp');
  return {
    read() {
      if (!existsSync(file)) return undefined;
      try {
        return unpack(readSafeTensors(file, 'the checkpoint'), identity) as S;
      } catch (error) {
        log(`the checkpoint is of no use, training starts anew: ${(error as Error).message}`);
        return undefined;
      }
    },
    write(snapshot) {
      try {
        const {tensors, metadata} = pack(snapshot, identity);
        writeSafeTensors(temporary, tensors, metadata);
        flush(temporary);
        renameSync(temporary, file);
        flush(folder);
      } catch (error) {
        rmSync(temporary, {recursive: true, force: true});
        log(`the checkpoint could not be written, and training goes on: ${(error as Error).message}`);
      }
    },
  };
}

interface Packed {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
}

function pack({trainer, best, ...rest}: Resumable, identity: string): Packed {
  const tensors = new Map([...prefixed(TRAINER, trainer.arrays), ...prefixed(BEST, best ?? new Map())]);
  const text = JSON.stringify({...rest, counters: trainer.counters, hasBest: best !== undefined});
  return {tensors, metadata: {type: TYPE, identity, snapshot: text, sha256: digestOf(text, tensors)}};
}

function unpack({tensors, metadata}: Packed, identity: string): Resumable {
  const {type, identity: own, snapshot: text = '', sha256} = metadata;
  if (type !== TYPE) throw new Error(`it is of type ${type ?? 'unknown'}, not ${TYPE}`);
  if (own !== identity) throw new Error('it is of another training');
  if (sha256 !== digestOf(text, tensors)) throw new Error('it is damaged');
  const {counters, hasBest, ...rest} = JSON.parse(text) as Stored;
  return {
    ...rest,
    trainer: {arrays: part(tensors, TRAINER), counters},
    best: hasBest ? part(tensors, BEST) : undefined,
  };
}

interface Stored {
  readonly counters: TrainerState['counters'];
  readonly hasBest: boolean;
}

const TYPE = 'training/1';
const TRAINER = 'trainer/';
const BEST = 'best/';

function prefixed(prefix: string, arrays: Weights): readonly (readonly [string, NamedArray])[] {
  return [...arrays].map(([name, array]) => [prefix + name, array]);
}

function part(tensors: Weights, prefix: string): Weights {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

/** Of a text and arrays by name, whatever their order. */
export function digestOf(text: string, arrays: Weights): string {
  const hash = createHash('sha256').update(`${text}\n`);
  for (const name of [...arrays.keys()].sort()) {
    const {shape, data} = arrays.get(name) as NamedArray;
    hash.update(`${JSON.stringify([name, shape])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** A rename may reach the disk before the bytes do, unless these are flushed. */
function flush(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
