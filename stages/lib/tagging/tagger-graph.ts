import {StageError} from 'mixdown/stage';
import {attentionGraph} from '../models/attention.ts';
import {scoreShifts, type SeriesConfig} from '../models/blocks.ts';
import {dnnGraph} from '../models/dnn.ts';
import type {AttentionNorm, ModelGraph} from '../models/graph.ts';
import {initialWeights} from '../models/initial-weights.ts';
import {recurrentGraph} from '../models/recurrent.ts';
import type {Weights} from '../tensors/named-array.ts';

export interface TaggerConfig {
  readonly model: 'attention' | 'dnn' | 'lstm';
  /** Such as `h1+h3`. */
  readonly levels: string;
  readonly units: number;
  readonly dropout: number;
  readonly headBatchNorm: boolean;
  readonly finalDense: boolean;
  readonly attNorm: AttentionNorm;
  readonly batchNormMomentum: number;
}

/** A model of several labels on vectors of `width` values. Throws StageError for levels that are none. */
export function taggerGraph(params: TaggerConfig, width: number, classes: number): ModelGraph {
  const levels = params.levels.split('+').map((level) => Number(level.slice(1)));
  if (new Set(levels).size < levels.length) throw new StageError(`levels \`${params.levels}\` name a level twice`);
  const config: SeriesConfig = {
    features: width,
    classes,
    units: params.units,
    dropout: params.dropout,
    headBatchNorm: params.headBatchNorm,
    momentum: params.batchNormMomentum,
    labels: 'multi',
  };
  switch (params.model) {
    case 'attention':
      return attentionGraph({
        ...config,
        levels: levels.sort((a, b) => a - b),
        finalDense: params.finalDense,
        attentionNorm: params.attNorm,
      });
    case 'dnn':
      return dnnGraph({...config, blocks: Math.max(...levels)});
    case 'lstm':
      return recurrentGraph(config);
  }
}

/**
 * Weights to start from. With a prior, the part of all targets that are 1, the scores start at it, at its logit in -7 ... -3:
 * without that it takes Adam thousands of steps to get them there.
 */
export function taggerWeights(graph: ModelGraph, seed: number, prior: number | undefined): Weights {
  if (prior === undefined) return initialWeights(graph, seed);
  const start = Math.min(-3, Math.max(-7, Math.log(prior / (1 - prior))));
  return initialWeights(graph, seed, {starts: new Map(scoreShifts(graph).map((name) => [name, start]))});
}
