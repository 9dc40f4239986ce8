import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/formats/csv.ts';
import {isTraining, readPieceRows, type PieceRow} from './lib/experiment/piece-rows.ts';
import {count, firstOf} from './lib/problems.ts';
import {createRng, type Rng} from './lib/rng.ts';

export default defineStage({
  name: 'balance',
  summary: 'The training rows of a fold, copies included: every class equally often, or every row once.',
  params: {
    fold: {type: 'integer', minimum: 0, heldOut: 'learns', about: 'train without this fold; 0 uses all train clips'},
    perClass: {type: 'integer', minimum: 0, default: 0, about: 'rows per class; 0: as many as the largest class has'},
    sampler: {
      type: 'string',
      enum: ['balanced', 'plain'],
      default: 'balanced',
      about: 'every class drawn equally often, or every row once',
    },
    labels: {
      type: 'string',
      enum: ['all', 'verified', 'verified-first'],
      default: 'all',
      about:
        'draw all rows; those whose label a person has confirmed; or those, and of a label without any, all: rows of weight ' +
        '0 are never drawn',
    },
  },
  inputs: {rows: {kind: 'file', about: 'rows table from segments or pseudo-labels'}},
  outputs: {
    order: {kind: 'file', name: 'order.csv', about: 'row, class; a row of a small class appears several times'},
  },
  seeded: true,
  run({params, inputs, outputs, seed, log, metric}) {
    if (params.sampler === 'plain' && params.perClass > 0) {
      throw new StageError('perClass does nothing with `sampler: plain`', 'leave one of them out');
    }
    const all = readPieceRows(inputs.rows);
    const training = all.filter((row) => isTraining(row, params.fold));
    if (training.length === 0) throw new StageError(`there are no training rows outside fold ${params.fold}`);
    const rows = chooseRows(training, params.labels);
    checkLabels(training, rows, params.labels);
    const untrained = labelsWithout(all, training);
    if (untrained.length > 0) log(`labels without a training row: ${firstOf(untrained)}`);
    const byClass = new Map<number, number[]>();
    for (const {row, classIndex} of rows) {
      const own = byClass.get(classIndex);
      if (own === undefined) byClass.set(classIndex, [row]);
      else own.push(row);
    }
    const perClass = params.perClass || Math.max(...[...byClass.values()].map((own) => own.length));
    const rng = createRng(seed);
    const order = [...byClass]
      .sort(([a], [b]) => a - b)
      .flatMap(([classIndex, own]) => {
        const wanted = params.sampler === 'plain' ? own.length : perClass;
        return draw(own, wanted, rng.fork(classIndex)).map((row) => [row, classIndex]);
      });
    writeCsv(outputs.order, ['row', 'class'], order);
    metric('rows', order.length);
    metric('leftOut', training.length - rows.length);
    metric('classes', byClass.size);
  },
});

type LabelChoice = 'all' | 'verified' | 'verified-first';

function chooseRows(training: readonly PieceRow[], labels: LabelChoice): readonly PieceRow[] {
  const weighty = training.filter(({weight}) => weight > 0);
  if (labels === 'all') return weighty;
  const verified = weighty.filter((row) => row.verified);
  if (labels === 'verified') return verified;
  const known = new Set(verified.map(({classIndex}) => classIndex));
  return weighty.filter((row) => row.verified || !known.has(row.classIndex));
}

/** Throws StageError when a label that has training rows has none left: a model could never learn it. */
function checkLabels(training: readonly PieceRow[], left: readonly PieceRow[], labels: LabelChoice): void {
  const lost = labelsWithout(training, left);
  if (lost.length === 0) return;
  const isForVerified = labels === 'verified';
  throw new StageError(
    `no training row is left of ${count(lost.length, 'label')}: ${firstOf(lost)}; ` +
      (isForVerified ? 'none of their rows is verified and has a weight above 0' : 'their rows have weight 0'),
    isForVerified ? 'set `labels: verified-first` to draw all rows of such labels' : 'give rows a weight above 0',
  );
}

/** Labels of `rows` that `others` do not have, in the order of the classes. */
function labelsWithout(rows: readonly PieceRow[], others: readonly PieceRow[]): readonly string[] {
  const known = new Set(others.map(({classIndex}) => classIndex));
  const missing = new Map(rows.flatMap(({classIndex, label}) => (known.has(classIndex) ? [] : [[classIndex, label]])));
  return [...missing].sort(([a], [b]) => a - b).map(([, label]) => `\`${label}\``);
}

/** `wanted` rows: every row once in random order, then again in another, so that none appears twice more than another. */
function draw(rows: readonly number[], wanted: number, rng: Rng): readonly number[] {
  const drawn: number[] = [];
  while (drawn.length < wanted) drawn.push(...rng.shuffle(rows));
  return drawn.slice(0, wanted);
}
