import {layerList, SERIES_INPUT, type SeriesConfig} from './blocks.ts';
import type {ModelGraph} from './graph.ts';

export interface DnnConfig extends SeriesConfig {
  /** Number of hidden blocks. */
  readonly blocks: number;
}

/**
 * A plain network on each vector, features (T, F) to probabilities (C): hidden blocks `h1`, `h2`, ..., scores by sigmoid, their
 * mean over time; for a single label divided by their total. Source: the baseline of Yu et al. 2018.
 */
export function dnnGraph(config: DnnConfig): ModelGraph {
  const {features, classes, blocks, headBatchNorm, labels} = config;
  const list = layerList(config);
  let hidden = list.norm(`${SERIES_INPUT}/norm`, list.input);
  for (let block = 1; block <= blocks; block++) hidden = list.hiddenBlock(`h${block}`, hidden);
  const logits = list.dense('output', hidden, classes, headBatchNorm);
  const scores = list.add({name: 'scores', inputs: [logits], op: 'sigmoid'});
  const mean = list.add({name: 'mean', inputs: [scores], op: 'time-mean'});
  const output = labels === 'single' ? list.add({name: 'probabilities', inputs: [mean], op: 'normalise'}) : mean;
  return {inputs: [{name: SERIES_INPUT, shape: [null, features]}], layers: list.layers, outputs: [output]};
}
