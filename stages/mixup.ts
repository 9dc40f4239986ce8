import {defineStage} from 'mixdown/stage';
import {writeMixed} from './lib/experiment/mixed-table.ts';
import {mixedExamples} from './lib/learning/mixing.ts';
import {readPieceRows} from './lib/experiment/piece-rows.ts';
import {createRng} from './lib/rng.ts';
import {readOrder} from './lib/experiment/training-rows.ts';

export default defineStage({
  name: 'mixup',
  summary: 'Draws pairs of training rows and their shares, as many as the training rows of the fold; train mixes them.',
  params: {
    fold: {
      type: 'integer',
      minimum: 0,
      heldOut: 'learns',
      about: 'the fold that `order` is for; 0 for all train clips',
    },
    alpha: {type: 'number', minimum: 0, default: 0.2, about: 'shares come from Beta(alpha, alpha); 0 mixes nothing'},
  },
  inputs: {
    rows: {kind: 'file', about: 'rows table from segments or pseudo-labels'},
    order: {kind: 'file', about: 'training rows of this fold, from balance'},
  },
  outputs: {
    mixed: {
      kind: 'file',
      name: 'mixed.csv',
      about: 'first, second: rows of the features; share: part of the first, 0 to 1',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed, metric}) {
    const order = readOrder(inputs.order, readPieceRows(inputs.rows), params.fold);
    const examples = params.alpha > 0 ? mixedExamples(order, params.alpha, createRng(seed)) : [];
    writeMixed(outputs.mixed, examples);
    metric('examples', examples.length);
  },
});
