import type {Layer, ModelGraph} from './graph.ts';

/** Added to variances, as Keras does. */
const EPSILON = 1e-3;

/** What the models on embeddings share. Source: Yu et al. 2018, with its published code. */
export interface SeriesConfig {
  /** Values per vector. */
  readonly features: number;
  readonly classes: number;
  /** Units of a hidden block. */
  readonly units: number;
  readonly dropout: number;
  /** Batch normalisation before every sigmoid and softmax of the heads and of the output. */
  readonly headBatchNorm: boolean;
  /** Part of the running moments that a step keeps. */
  readonly momentum: number;
  /** `single`: one class an example, probabilities of sum 1. `multi`: each class on its own. */
  readonly labels: 'single' | 'multi';
}

/** The input of these models: any number of vectors, in order. */
export const SERIES_INPUT = 'features';

/** Layers in the order in which they are added; the name of the last is returned, so that calls chain. */
export interface LayerList {
  readonly layers: readonly Layer[];
  add(layer: Layer): string;
  /** A dense layer `name`; with `norm`, a batch normalisation `<name>/norm` after it. */
  dense(name: string, input: string, units: number, norm: boolean): string;
  norm(name: string, input: string): string;
  /** Dense, batch normalisation, ReLU and dropout: `<name>`, `<name>/norm`, `<name>/relu`, `<name>/dropout`. */
  hiddenBlock(name: string, input: string): string;
}

export function layerList({units, dropout, momentum}: Pick<SeriesConfig, 'units' | 'dropout' | 'momentum'>): LayerList {
  const layers: Layer[] = [];
  const add = (layer: Layer): string => {
    layers.push(layer);
    return layer.name;
  };
  const norm = (name: string, input: string): string =>
    add({name, inputs: [input], op: 'batch-norm', epsilon: EPSILON, momentum});
  const dense = (name: string, input: string, width: number, isNormalised: boolean): string => {
    const output = add({name, inputs: [input], op: 'dense', units: width});
    return isNormalised ? norm(`${name}/norm`, output) : output;
  };
  return {
    layers,
    add,
    norm,
    dense,
    hiddenBlock(name, input) {
      const rectified = add({name: `${name}/relu`, inputs: [dense(name, input, units, true)], op: 'relu'});
      return dropout === 0
        ? rectified
        : add({name: `${name}/dropout`, inputs: [rectified], op: 'dropout', rate: dropout});
    },
  };
}

/** The parameters that shift the logits of scores between 0 and 1: where a prior is put in at the start. */
export function scoreShifts({layers}: ModelGraph): readonly string[] {
  const logits = layers.flatMap(({op, inputs}) =>
    op === 'attention-pool' || op === 'sigmoid' ? inputs.slice(0, 1) : [],
  );
  return layers
    .filter(({name}) => logits.includes(name))
    .map(({name, op}) => (op === 'batch-norm' ? `${name}/beta` : `${name}/biases`));
}
