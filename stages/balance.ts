import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/formats/csv.ts';
import {isTraining, readPieceRows} from './lib/experiment/piece-rows.ts';
import {createRng, type Rng} from './lib/rng.ts';

export default defineStage({
  name: 'balance',
  summary: 'The training rows of a fold, copies included, every class drawn equally often.',
  params: {
    fold: {type: 'integer', minimum: 0, heldOut: 'learns', about: 'train without this fold; 0 uses all train clips'},
    perClass: {type: 'integer', minimum: 0, default: 0, about: 'rows per class; 0: as many as the largest class has'},
  },
  inputs: {rows: {kind: 'file', about: 'rows table from segments'}},
  outputs: {
    order: {kind: 'file', name: 'order.csv', about: 'row, class; a row of a small class appears several times'},
  },
  seeded: true,
  run({params, inputs, outputs, seed, metric}) {
    const rows = readPieceRows(inputs.rows).filter((row) => isTraining(row, params.fold));
    if (rows.length === 0) throw new StageError(`there are no training rows outside fold ${params.fold}`);
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
      .flatMap(([classIndex, own]) => draw(own, perClass, rng.fork(classIndex)).map((row) => [row, classIndex]));
    writeCsv(outputs.order, ['row', 'class'], order);
    metric('rows', order.length);
    metric('classes', byClass.size);
  },
});

/** `count` rows: every row once in random order, then again in another, so that none appears twice more than another. */
function draw(rows: readonly number[], count: number, rng: Rng): readonly number[] {
  const drawn: number[] = [];
  while (drawn.length < count) drawn.push(...rng.shuffle(rows));
  return drawn.slice(0, count);
}
