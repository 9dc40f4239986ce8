import {layerList, SERIES_INPUT, type SeriesConfig} from './blocks.ts';
import type {AttentionNorm, ModelGraph} from './graph.ts';

export interface AttentionConfig extends SeriesConfig {
  /** Hidden blocks that get a head, ascending from 1; the highest is the number of blocks. */
  readonly levels: readonly number[];
  /**
   * A dense layer over the concatenated levels; without it, the levels' sum divided by its total for a single label, their
   * mean for several.
   */
  readonly finalDense: boolean;
  readonly attentionNorm: AttentionNorm;
}

/**
 * Multi-level attention, features (T, F) to probabilities (C). Hidden blocks `h1`, `h2`, ... act on each vector; at each
 * level, `<level>/scores` and `<level>/attention` are pooled over time. Source: Yu et al. 2018, "Multi-level attention model
 * for weakly supervised audio classification".
 */
export function attentionGraph(config: AttentionConfig): ModelGraph {
  const {features, classes, levels, headBatchNorm, finalDense, attentionNorm, labels} = config;
  const list = layerList(config);
  let hidden = list.norm(`${SERIES_INPUT}/norm`, list.input);
  const pooled: string[] = [];
  for (let level = 1; level <= Math.max(...levels); level++) {
    const name = `h${level}`;
    hidden = list.hiddenBlock(name, hidden);
    if (!levels.includes(level)) continue;
    const scores = list.dense(`${name}/scores`, hidden, classes, headBatchNorm);
    const attention = list.dense(`${name}/attention`, hidden, classes, headBatchNorm);
    pooled.push(
      list.add({name: `${name}/pool`, inputs: [scores, attention], op: 'attention-pool', norm: attentionNorm}),
    );
  }
  const [first = ''] = pooled;
  const inputs = [{name: SERIES_INPUT, shape: [null, features]}];
  if (!finalDense) {
    if (labels === 'multi') {
      const mean = pooled.length === 1 ? first : list.add({name: 'probabilities', inputs: pooled, op: 'mean'});
      return {inputs, layers: list.layers, outputs: [mean]};
    }
    const sum = pooled.length === 1 ? first : list.add({name: 'levels', inputs: pooled, op: 'sum'});
    const output = list.add({name: 'probabilities', inputs: [sum], op: 'normalise'});
    return {inputs, layers: list.layers, outputs: [output]};
  }
  const all = pooled.length === 1 ? first : list.add({name: 'levels', inputs: pooled, op: 'concat'});
  const logits = list.dense('output', all, classes, headBatchNorm);
  const op = labels === 'single' ? 'softmax' : 'sigmoid';
  return {inputs, layers: list.layers, outputs: [list.add({name: 'probabilities', inputs: [logits], op})]};
}
