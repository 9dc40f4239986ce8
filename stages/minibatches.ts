import {readFileSync, writeFileSync} from 'node:fs';
import {setImmediate} from 'node:timers/promises';
import {defineStage, StageError} from 'mixdown/stage';
import {classesWithMembers, membersOf, membersOfTargets, type ClassMembers} from './lib/learning/class-members.ts';
import {readCsvTable, type CsvRow} from './lib/formats/csv.ts';
import {openNpyRows} from './lib/formats/npy-rows.ts';
import {npyWriter} from './lib/formats/npy-writer.ts';
import {isTraining} from './lib/experiment/piece-rows.ts';
import {
  balancedSampler,
  parseSamplerState,
  shuffledSampler,
  type Sampler,
  type SamplerStart,
} from './lib/learning/sampler.ts';

export default defineStage({
  name: 'minibatches',
  summary: 'Batches of training rows, every class drawn equally often or every row, with the state to go on from.',
  params: {
    batchSize: {type: 'integer', minimum: 1, default: 500, about: 'rows of a batch'},
    batches: {type: 'integer', minimum: 1, about: 'batches to draw'},
    balanced: {
      type: 'boolean',
      default: true,
      about: 'one cycle through the classes after another; else one pass through the examples after another',
    },
    classes: {type: 'integer', minimum: 0, default: 0, about: 'number of classes; 0: up to the highest that occurs'},
    onEmptyClass: {
      type: 'string',
      enum: ['fail', 'skip'],
      default: 'fail',
      about: 'a class without members, if balanced: fail, or leave it out of the cycles',
    },
    fold: {
      type: 'integer',
      minimum: -1,
      default: -1,
      heldOut: 'learns',
      about:
        'for examples with split and fold: train without this fold; 0 uses all train clips; test clips never count',
    },
  },
  inputs: {
    examples: {
      kind: 'file',
      optional: true,
      about: 'csv with row and class, such as order.csv of balance; a line is an example',
    },
    targets: {
      kind: 'file',
      optional: true,
      about: 'uint8 .npy (rows, bytes), a bit a class, highest first, such as targets.npy of audioset-features',
    },
    state: {kind: 'file', optional: true, about: 'state.json of a node to go on from, with the same examples'},
  },
  outputs: {
    batches: {kind: 'file', name: 'batches.npy', about: 'int32 (batches, batchSize): rows in the order to train on'},
    state: {kind: 'file', name: 'state.json', about: 'sampler/1: seed, examples drawn so far, digest of the examples'},
  },
  seeded: true,
  async run({params, inputs, outputs, seed, signal, log, progress, metric}) {
    const start = inputs.state === undefined ? {seed} : parseSamplerState(readFileSync(inputs.state, 'utf8'));
    const sampler = makeSampler(inputs, params, start, log);
    const batch = new Int32Array(params.batchSize);
    const writer = npyWriter(outputs.batches, [batch.length], batch);
    try {
      for (let i = 0; i < params.batches; i++) {
        if (i % BATCHES_A_TURN === 0) {
          await setImmediate();
          signal.throwIfAborted();
          progress(i / params.batches);
        }
        sampler.next(batch);
        writer.write(batch);
      }
    } finally {
      writer.close();
    }
    const state = sampler.state();
    writeFileSync(outputs.state, `${JSON.stringify(state, null, 2)}\n`);
    metric('drawn', state.drawn);
    metric('carried', sampler.carried());
  },
});

interface Params {
  readonly balanced: boolean;
  readonly classes: number;
  readonly onEmptyClass: 'fail' | 'skip';
  readonly fold: number;
}

/** So often others get a turn: messages go out, and a cancelled run ends. */
const BATCHES_A_TURN = 200;
const EXAMPLES = 'the examples table';
const MOST_NAMES = 20;
const TARGETS = 'the targets array';

function makeSampler(
  inputs: {readonly examples: string | undefined; readonly targets: string | undefined},
  params: Params,
  start: SamplerStart,
  log: (text: string) => void,
): Sampler {
  const {examples, targets} = inputs;
  if (targets !== undefined && examples === undefined) {
    if (params.fold >= 0) throw new StageError('a fold is given, and targets have none', 'leave `fold` out');
    if (!params.balanced) return shuffledSampler(allRows(targets), start);
    return balancedSampler(checked(membersOfTargets(targets, params.classes, TARGETS), params, log), start);
  }
  if (examples === undefined || targets !== undefined) {
    throw new StageError('one of the inputs `examples` and `targets` is needed, and not both');
  }
  const {rows, classOf} = readExamples(examples, params.fold);
  if (!params.balanced) return shuffledSampler(rows, start);
  return balancedSampler(checked(membersOf(rows, classOf, params.classes), params, log), start);
}

function checked(members: ClassMembers, {onEmptyClass}: Params, log: (text: string) => void): ClassMembers {
  const filled = new Set(classesWithMembers(members));
  const empty = Array.from({length: members.classes}, (_, c) => c).filter((c) => !filled.has(c));
  if (empty.length === 0) return members;
  const more = empty.length > MOST_NAMES ? ` and ${empty.length - MOST_NAMES} more` : '';
  const names = empty.slice(0, MOST_NAMES).join(', ') + more;
  const text = `${empty.length} of ${members.classes} classes have no examples: ${names}`;
  if (onEmptyClass === 'fail') throw new StageError(text, 'set onEmptyClass: skip to leave them out of the cycles');
  log(`${text}; they are left out of the cycles`);
  return members;
}

function allRows(targets: string): Int32Array {
  const file = openNpyRows(targets, TARGETS);
  file.close();
  return Int32Array.from({length: file.shape[0] ?? 0}, (_, row) => row);
}

/** The rows of the examples, in the order of the table, and the class of each. */
function readExamples(path: string, fold: number): {readonly rows: Int32Array; readonly classOf: Int32Array} {
  const {columns, rows} = readCsvTable(path, ['row', 'class'], EXAMPLES);
  const hasFolds = columns.includes('split') || columns.includes('fold');
  if (hasFolds && fold < 0) {
    throw new StageError(
      `${EXAMPLES} has splits and folds, and which of them to train on is not said`,
      'set `fold` to the fold that validates, or to 0 to train on all train clips',
    );
  }
  if (!hasFolds && fold >= 0) {
    throw new StageError(`${EXAMPLES} has no columns split and fold`, 'leave `fold` out, or give rows.csv of segments');
  }
  const places = hasFolds ? rows.map(placeOf) : [];
  if (fold > 0 && !places.some((place) => place.fold === fold)) {
    throw new StageError(`${EXAMPLES} has no clips of fold ${fold}`);
  }
  const used = hasFolds ? rows.filter((_, i) => isTraining(places[i] as Place, fold)) : rows;
  return {
    rows: Int32Array.from(used, (row) => wholeNumber(row, 'row')),
    classOf: Int32Array.from(used, (row) => wholeNumber(row, 'class')),
  };
}

type Place = Parameters<typeof isTraining>[0];

function placeOf(row: CsvRow): Place {
  const {split} = row.record;
  if (split === 'train' || split === 'test') return {split, fold: wholeNumber(row, 'fold')};
  throw new StageError(`${EXAMPLES}, line ${row.line}: split is \`${split}\`; train or test is needed`);
}

function wholeNumber({line, record}: CsvRow, column: string): number {
  const text = record[column] ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new StageError(`${EXAMPLES}, line ${line}: ${column} is \`${text}\`; a whole number is needed`);
}
