import {layerList, SERIES_INPUT, type SeriesConfig} from './blocks.ts';
import type {ModelGraph} from './graph.ts';

/**
 * An LSTM over the vectors, features (T, F) to probabilities (C): its last output classifies. Dropout acts on its input, each
 * element on its own. Source: the LSTM baseline of the reference, with plain sigmoid gates.
 */
export function recurrentGraph(config: SeriesConfig): ModelGraph {
  const {features, classes, units, dropout, headBatchNorm, labels} = config;
  const list = layerList(config);
  const normalised = list.norm(`${SERIES_INPUT}/norm`, list.input);
  const input =
    dropout === 0
      ? normalised
      : list.add({name: `${SERIES_INPUT}/dropout`, inputs: [normalised], op: 'dropout', rate: dropout});
  const last = list.add({name: 'lstm', inputs: [input], op: 'lstm', units});
  const logits = list.dense('output', last, classes, headBatchNorm);
  const op = labels === 'single' ? 'softmax' : 'sigmoid';
  const output = list.add({name: 'probabilities', inputs: [logits], op});
  return {inputs: [{name: SERIES_INPUT, shape: [null, features]}], layers: list.layers, outputs: [output]};
}
