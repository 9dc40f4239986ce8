import type {KnownName} from './tensor-names.ts';

/** The names under which programs keep the parts of a layer, the likeliest first. */
export interface LayerNames {
  readonly weights: readonly KnownName[];
  readonly biases: readonly KnownName[];
  /** Of the batch normalisation that comes after the layer, and is folded into it. */
  readonly norm?: Readonly<Record<'gamma' | 'beta' | 'mean' | 'variance', readonly KnownName[]>>;
}

/**
 * Layer `number` (0 ... 8) of VGGish, called `layer` in the release. Known are: the release and its descendants in TensorFlow;
 * ports to Keras; ports to PyTorch that put the convolutions into `features`. torchvggish (`embeddings`), torchaudio
 * (`embedding_network`) and tcvrick's port (`fc`) keep the dense weights in the order row, column, channel and move the axes of
 * the image before them; of other ports the order is not known.
 */
export function vggishNames(layer: string, number: number): LayerNames {
  const base = layer.slice(layer.lastIndexOf('/') + 1);
  const scopes = [base, `vggish_${base}`];
  const convolution = FEATURES[number];
  const dense = 2 * (number - FEATURES.length);
  const torch =
    convolution === undefined
      ? [
          {scope: `embeddings/${dense}`, flattensRowsFirst: true},
          {scope: `embedding_network/${dense}`, flattensRowsFirst: true},
          {scope: `fc/${dense}`, flattensRowsFirst: true},
          {scope: `embedding/${dense}`, flattensRowsFirst: false},
          {scope: `classifier/${dense}`, flattensRowsFirst: false},
        ]
      : ['features', 'features_network'].map((scope) => ({
          scope: `${scope}/${convolution}`,
          flattensRowsFirst: true,
        }));
  const names = (ours: string, keras: string, pytorch: string): readonly KnownName[] => [
    {name: `${layer}/${ours}`, layout: 'tensorflow', flattensRowsFirst: true},
    ...scopes.flatMap((scope) =>
      [ours, keras].map((part) => ({name: `${scope}/${part}`, layout: 'tensorflow', flattensRowsFirst: true}) as const),
    ),
    ...torch.map(({scope, flattensRowsFirst}) => ({
      name: `${scope}/${pytorch}`,
      layout: 'torch' as const,
      flattensRowsFirst,
    })),
    {name: `${base}/${pytorch}`, layout: 'torch', flattensRowsFirst: false},
  ];
  return {weights: names('weights', 'kernel', 'weight'), biases: names('biases', 'bias', 'bias')};
}

/** Places of the convolutions in a sequence of convolutions, activations and pools. */
const FEATURES = [0, 3, 6, 8, 11, 13];

/**
 * Layer `index` (0 ... 27) of YAMNet. Known are: our own and a manifest's names; those of the released Keras model, whose
 * separable layers are called by the number of the pair; and those of its SavedModel, where layers and normalisations take turns.
 */
export function yamnetNames(index: number): LayerNames {
  const number = index + 1;
  const isLast = number === YAMNET_LAYERS;
  const pair = `layer${Math.floor(number / 2) + 1}`;
  const keras = number === 1 ? `${pair}/conv` : `${pair}/${number % 2 === 0 ? 'depthwise_conv' : 'pointwise_conv'}`;
  const saved = `layer_with_weights-${2 * number - 2}`;
  const layers = isLast ? ['logits', 'dense', saved] : [keras, saved];
  const norms = isLast ? [] : [`${keras}/bn`, `layer_with_weights-${2 * number - 1}`];
  const all = (scopes: readonly string[], parts: readonly string[]): readonly KnownName[] =>
    scopes.flatMap((scope) => parts.map((part) => ({name: `${scope}/${part}`, layout: 'tensorflow' as const})));
  return {
    weights: [...all([`layer${number}`], ['weights', 'w']), ...all(layers, ['depthwise_kernel', 'kernel'])],
    biases: [...all([`layer${number}`], ['biases', 'b']), ...all(layers, ['bias'])],
    norm: {
      gamma: all(norms, ['gamma']),
      beta: all(norms, ['beta']),
      mean: all(norms, ['moving_mean']),
      variance: all(norms, ['moving_variance']),
    },
  };
}

const YAMNET_LAYERS = 28;
