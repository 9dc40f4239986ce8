import {StageError} from 'mixdown/stage';
import {layerList, SERIES_INPUT, type SeriesConfig} from './blocks.ts';
import type {AttentionNorm, ModelGraph} from './graph.ts';

export interface AttentionConfig extends SeriesConfig {
  /** Hidden blocks that get a head, ascending from 1; the highest is the number of blocks. */
  readonly levels: readonly number[];
  /** A dense layer over the concatenated levels; without it, the levels' sum divided by its total. */
  readonly finalDense: boolean;
  readonly attentionNorm: AttentionNorm;
}

/**
 * Multi-level attention, features (T, F) to probabilities (C). Hidden blocks `h1`, `h2`, ... act on each vector; at each
 * level, `<level>/scores` and `<level>/attention` are pooled over time. Source: Yu et al. 2018, "Multi-level attention model
 * for weakly supervised audio classification". For several labels without a final dense layer the one level's scores are the
 * probabilities. Throws StageError when there are several levels: their sum is no probability.
 */
export function attentionGraph(config: AttentionConfig): ModelGraph {
  const {features, classes, levels, headBatchNorm, finalDense, attentionNorm, labels} = config;
  if (labels === 'multi' && !finalDense && levels.length > 1) {
    throw new StageError(
      'attention for several labels needs a final dense layer over its levels',
      'set `finalDense: true`, or one level',
    );
  }
  const list = layerList(config);
  let hidden = list.norm(`${SERIES_INPUT}/norm`, SERIES_INPUT);
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
    if (labels === 'multi') return {inputs, layers: list.layers, outputs: [first]};
    const sum = pooled.length === 1 ? first : list.add({name: 'levels', inputs: pooled, op: 'sum'});
    const output = list.add({name: 'probabilities', inputs: [sum], op: 'normalise'});
    return {inputs, layers: list.layers, outputs: [output]};
  }
  const all = pooled.length === 1 ? first : list.add({name: 'levels', inputs: pooled, op: 'concat'});
  const logits = list.dense('output', all, classes, headBatchNorm);
  const op = labels === 'single' ? 'softmax' : 'sigmoid';
  return {inputs, layers: list.layers, outputs: [list.add({name: 'probabilities', inputs: [logits], op})]};
}
