import {StageError, type ParamSpec} from 'mixdown/stage';
import type {Weights} from '../tensors/named-array.ts';
import {attentionGraph} from './attention.ts';
import {scoreShifts, SERIES_VIEWS, type SeriesConfig, type SeriesView} from './blocks.ts';
import {dnnGraph} from './dnn.ts';
import {ATTENTION_NORMS, type AttentionNorm, type ModelGraph} from './graph.ts';
import {initialWeights} from './initial-weights.ts';
import {recurrentGraph} from './recurrent.ts';

/** Which model on vectors, as params of the stages that train one. */
export const seriesParams = {
  model: {
    type: 'string',
    enum: ['attention', 'dnn', 'lstm'],
    default: 'attention',
    about:
      'multi-level attention; hidden blocks whose scores are averaged over time; or an LSTM whose last output counts',
  },
  levels: {
    type: 'string',
    pattern: '^h[1-3](\\+h[1-3]){0,2}$',
    default: 'h1+h2+h3',
    about:
      'hidden blocks that get an attention head, such as h1+h3; a dnn has as many blocks as the highest; no matter to lstm',
  },
  mask: {
    type: 'boolean',
    default: false,
    about:
      'leave out vectors of zeros, or of bytes 128: an LSTM keeps its state over them, attention and means are over the ' +
      'others; for pieces of whole clips',
  },
  view: {
    type: 'string',
    enum: SERIES_VIEWS,
    default: 'vectors',
    about: 'what the model sees of an example: its vectors, or their mean as one vector, at a fraction of the cost',
  },
  units: {type: 'integer', minimum: 1, default: 600, about: 'units of a hidden block, or of the LSTM'},
  dropout: {type: 'number', minimum: 0, exclusiveMaximum: 1, default: 0.4, about: 'part of the units dropped'},
  headBatchNorm: {type: 'boolean', default: true, about: 'batch normalisation before every sigmoid and softmax'},
  attNorm: {
    type: 'string',
    enum: ATTENTION_NORMS,
    default: 'class-softmax+time-sum',
    about: 'how attention becomes weights over time',
  },
  batchNormMomentum: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.99,
    about: 'part of the running moments kept per step; less for short trainings',
  },
} as const satisfies Readonly<Record<string, ParamSpec>>;

/** Values of `seriesParams`, and what the stages describe in their own words. */
export interface SeriesChoice {
  readonly model: 'attention' | 'dnn' | 'lstm';
  readonly levels: string;
  readonly units: number;
  readonly dropout: number;
  readonly headBatchNorm: boolean;
  readonly finalDense: boolean;
  readonly attNorm: AttentionNorm;
  readonly batchNormMomentum: number;
  readonly mask: boolean;
  readonly view: SeriesView;
}

/** The model chosen. Throws StageError for levels that are none. */
export function seriesGraph(
  {model, levels: named, units, dropout, headBatchNorm, finalDense, attNorm, batchNormMomentum, ...seen}: SeriesChoice,
  data: Pick<SeriesConfig, 'features' | 'classes' | 'labels'>,
): ModelGraph {
  const levels = levelsOf(named);
  const {mask, view} = seen;
  const config: SeriesConfig = {...data, units, dropout, headBatchNorm, momentum: batchNormMomentum, mask, view};
  switch (model) {
    case 'attention':
      return attentionGraph({...config, levels, finalDense, attentionNorm: attNorm});
    case 'dnn':
      return dnnGraph({...config, blocks: Math.max(...levels)});
    case 'lstm':
      return recurrentGraph(config);
  }
}

/** `h1+h3` as numbers, ascending. */
export function levelsOf(text: string): readonly number[] {
  const levels = text.split('+').map((level) => Number(level.slice(1)));
  if (new Set(levels).size < levels.length) throw new StageError(`levels \`${text}\` name a level twice`);
  return levels.sort((a, b) => a - b);
}

/**
 * Weights to start from. With a prior, the part of all targets that are 1, the scores start at it, at its logit in -7 ... -3:
 * without that it takes Adam thousands of steps to get them there.
 */
export function seriesWeights(graph: ModelGraph, seed: number, prior: number | undefined): Weights {
  if (prior === undefined) return initialWeights(graph, seed);
  const start = Math.min(-3, Math.max(-7, Math.log(prior / (1 - prior))));
  return initialWeights(graph, seed, {starts: new Map(scoreShifts(graph).map((name) => [name, start]))});
}
