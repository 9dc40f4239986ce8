import {createHash} from 'node:crypto';
import {StageError} from 'mixdown/stage';
import {classesWithMembers, type ClassMembers} from './class-members.ts';
import {createRng, type Rng} from '../rng.ts';

/**
 * An endless, seeded stream of training examples, cut into batches of any size. Every permutation in it follows from the seed
 * and its number, so the count of what was drawn is the whole state: a sampler made from it goes on with the same examples.
 */
export interface Sampler {
  /** Fills `batch` with the rows of the next examples. */
  next(batch: Int32Array): void;
  state(): SamplerState;
  /** What is left of a begun permutation, of classes if balanced, else of examples: the next batch begins with it. */
  carried(): number;
}

export interface SamplerState {
  readonly type: 'sampler/1';
  readonly order: 'balanced' | 'shuffled';
  readonly seed: number;
  /** Examples drawn so far. */
  readonly drawn: number;
  /** SHA-256 of the examples and their classes: the state is of no use with others. */
  readonly examples: string;
}

/** A new stream, or the state of one to go on with. */
export type SamplerStart = {readonly seed: number} | SamplerState;

/**
 * Mini-batch balancing. A queue of classes is filled with one random permutation of all classes after another; each batch
 * takes the first of it and leaves the rest to the next. A class gives the next of its members in random order; when all
 * were used they are shuffled again, in the middle of a batch if need be. So in any run of draws no class comes twice more than
 * another, and within a class no member does. Classes without members are not in the queue.
 * Source: Kong et al. 2018, "Audio Set classification with attention model", carrying over instead of cutting short.
 *
 * Permutation n of the classes is drawn from fork `cycle/n` of the seed's stream, shuffle n of the members of class c from `c/n`.
 * Throws StageError when no class has members, or for the state of other examples.
 */
export function balancedSampler(members: ClassMembers, start: SamplerStart): Sampler {
  const {rows, starts} = members;
  const classes = Int32Array.from(classesWithMembers(members));
  if (classes.length === 0) throw new StageError('there are no examples to sample');
  const examples = digestOf(starts, rows);
  const rng = createRng(start.seed);
  const cycle = new Int32Array(classes.length);
  const shuffled = new Int32Array(rows.length);
  const shuffleOf = new Float64Array(members.classes).fill(-1);
  let drawn = drawnOf(start, 'balanced', examples);

  let cycles = Math.floor(drawn / classes.length);
  let used = drawn % classes.length;
  shuffleInto(cycle, 0, classes, rng.fork(`cycle/${cycles}`));
  // Every class was drawn once a cycle, and those at the start of the cycle in use once more.
  const drawnOfClass = new Float64Array(members.classes).fill(cycles);
  for (const c of cycle.subarray(0, used)) drawnOfClass[c] = cycles + 1;

  function nextClass(): number {
    if (used === cycle.length) {
      cycles++;
      used = 0;
      shuffleInto(cycle, 0, classes, rng.fork(`cycle/${cycles}`));
    }
    return cycle[used++] as number;
  }

  function nextMember(c: number): number {
    const from = starts[c] as number;
    const size = (starts[c + 1] as number) - from;
    const before = drawnOfClass[c] as number;
    drawnOfClass[c] = before + 1;
    const shuffle = Math.floor(before / size);
    if (shuffleOf[c] !== shuffle) {
      shuffleInto(shuffled, from, rows.subarray(from, from + size), rng.fork(`${c}/${shuffle}`));
      shuffleOf[c] = shuffle;
    }
    return shuffled[from + (before % size)] as number;
  }

  return {
    next(batch) {
      for (let i = 0; i < batch.length; i++) batch[i] = nextMember(nextClass());
      drawn += batch.length;
    },
    state: () => ({type: 'sampler/1', order: 'balanced', seed: start.seed, drawn, examples}),
    carried: () => (cycle.length - used) % cycle.length,
  };
}

/**
 * Plain sampling: every example once in random order, then all again in another. A batch that reaches the end of a pass goes on
 * with the next, so that none is short. Pass n is drawn from fork `pass/n`. Throws as `balancedSampler`.
 */
export function shuffledSampler(rows: Int32Array, start: SamplerStart): Sampler {
  if (rows.length === 0) throw new StageError('there are no examples to sample');
  const examples = digestOf(rows);
  const rng = createRng(start.seed);
  const pass = new Int32Array(rows.length);
  let drawn = drawnOf(start, 'shuffled', examples);
  let passes = Math.floor(drawn / rows.length);
  let used = drawn % rows.length;
  shuffleInto(pass, 0, rows, rng.fork(`pass/${passes}`));
  return {
    next(batch) {
      for (let i = 0; i < batch.length; i++) {
        if (used === pass.length) {
          passes++;
          used = 0;
          shuffleInto(pass, 0, rows, rng.fork(`pass/${passes}`));
        }
        batch[i] = pass[used++] as number;
      }
      drawn += batch.length;
    },
    state: () => ({type: 'sampler/1', order: 'shuffled', seed: start.seed, drawn, examples}),
    carried: () => (pass.length - used) % pass.length,
  };
}

/** Reads a state from its JSON text. Throws StageError when it is none. */
export function parseSamplerState(text: string): SamplerState {
  const state = parseObject(text);
  const {type, order, seed, drawn, examples} = state ?? {};
  if (
    type === 'sampler/1' &&
    (order === 'balanced' || order === 'shuffled') &&
    isCount(seed) &&
    isCount(drawn) &&
    typeof examples === 'string'
  ) {
    return {type, order, seed, drawn, examples};
  }
  throw new StageError('the state is not one of a sampler', 'give state.json of a minibatches node');
}

function drawnOf(start: SamplerStart, order: SamplerState['order'], examples: string): number {
  if (!('drawn' in start)) return 0;
  if (start.order !== order) throw new StageError(`the state is of a ${start.order} sampler, not of a ${order} one`);
  if (start.examples !== examples) {
    throw new StageError(
      'the state is of a sampler of other examples',
      'go on with the examples it was made with, or start anew without a state',
    );
  }
  return start.drawn;
}

/** Writes a permutation of `source` to `target`, from `at` on (Fisher and Yates). */
function shuffleInto(target: Int32Array, at: number, source: Int32Array, rng: Rng): void {
  target.set(source, at);
  for (let i = source.length - 1; i > 0; i--) {
    const j = at + rng.integer(i + 1);
    const value = target[at + i] as number;
    target[at + i] = target[j] as number;
    target[j] = value;
  }
}

function digestOf(...lists: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const list of lists) {
    hash.update(`${list.length};`);
    hash.update(new Uint8Array(list.buffer, list.byteOffset, list.byteLength));
  }
  return hash.digest('hex');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
