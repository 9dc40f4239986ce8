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
  /** Vectors of zeros are as if they were not: see `mask` of a graph. False unless given. */
  readonly mask?: boolean;
  /** What the model sees: the vectors, or their mean as a series of one. The vectors unless given. */
  readonly view?: SeriesView;
}

export const SERIES_VIEWS = ['vectors', 'mean'] as const;
export type SeriesView = (typeof SERIES_VIEWS)[number];

/** The input of these models: any number of vectors, in order. */
export const SERIES_INPUT = 'features';

/**
 * Layers in the order in which they are added; the name of the last is returned, so that calls chain. Layers after a masked
 * input get its mask by themselves, until one of them makes one row of the series.
 */
export interface LayerList {
  readonly layers: readonly Layer[];
  /** What the first layer is to take: the input, or a view of it. */
  readonly input: string;
  add(layer: Layer): string;
  /** A dense layer `name`; with `norm`, a batch normalisation `<name>/norm` after it. */
  dense(name: string, input: string, units: number, norm: boolean): string;
  norm(name: string, input: string): string;
  /** Dense, batch normalisation, ReLU and dropout: `<name>`, `<name>/norm`, `<name>/relu`, `<name>/dropout`. */
  hiddenBlock(name: string, input: string): string;
}

export function layerList({
  units,
  dropout,
  momentum,
  mask: isMasked = false,
  view = 'vectors',
}: Pick<SeriesConfig, 'units' | 'dropout' | 'momentum' | 'mask' | 'view'>): LayerList {
  const layers: Layer[] = [];
  /** Masks by the names of the series that they are for. */
  const masks = new Map<string, string>();
  const add = (layer: Layer): string => {
    const mask = masks.get(layer.inputs[0] ?? '');
    layers.push(mask !== undefined && TAKE_MASK.has(layer.op) ? {...layer, inputs: [...layer.inputs, mask]} : layer);
    if (mask !== undefined && !MAKE_ROWS.has(layer.op)) masks.set(layer.name, mask);
    return layer.name;
  };
  if (isMasked) {
    // Of the input as it is: after a batch normalisation no vector is zero.
    const mask = add({name: `${SERIES_INPUT}/mask`, inputs: [SERIES_INPUT], op: 'mask'});
    masks.set(SERIES_INPUT, mask);
  }
  const mean = (): string => add({name: `${SERIES_INPUT}/mean`, inputs: [SERIES_INPUT], op: 'time-mean'});
  const input = view === 'vectors' ? SERIES_INPUT : add({name: `${SERIES_INPUT}/view`, inputs: [mean()], op: 'series'});
  const norm = (name: string, input: string): string =>
    add({name, inputs: [input], op: 'batch-norm', epsilon: EPSILON, momentum});
  const dense = (name: string, input: string, width: number, isNormalised: boolean): string => {
    const output = add({name, inputs: [input], op: 'dense', units: width});
    return isNormalised ? norm(`${name}/norm`, output) : output;
  };
  return {
    layers,
    input,
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

const MAKE_ROWS: ReadonlySet<Layer['op']> = new Set(['time-mean', 'attention-pool', 'lstm'] as const);
const TAKE_MASK: ReadonlySet<Layer['op']> = new Set([...MAKE_ROWS, 'batch-norm'] as const);

/** The parameters that shift the logits of scores between 0 and 1: where a prior is put in at the start. */
export function scoreShifts({layers}: ModelGraph): readonly string[] {
  const logits = layers.flatMap(({op, inputs}) =>
    op === 'attention-pool' || op === 'sigmoid' ? inputs.slice(0, 1) : [],
  );
  return layers
    .filter(({name}) => logits.includes(name))
    .map(({name, op}) => (op === 'batch-norm' ? `${name}/beta` : `${name}/biases`));
}
