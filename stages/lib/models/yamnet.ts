import type {Layer, ModelGraph} from './graph.ts';

/** Input of the network: log-mel frames by bands, with 0.001 inside the logarithm. */
const PATCH_FRAMES = 96;
const PATCH_BANDS = 64;
export const YAMNET_CLASSES = 521;

/** Names of its two outputs: (N, 521) probabilities, each class on its own, and (N, 1024). */
export const YAMNET_SCORES = 'scores';
export const YAMNET_EMBEDDINGS = 'embeddings';

/**
 * YAMNet with its batch normalisations folded into the convolutions: MobileNet v1 on patches (96, 64). The layers with
 * parameters are numbered in their order: `layer1` is a 3x3 convolution, then thirteen pairs of a 3x3 depthwise and a 1x1
 * convolution, each with ReLU6, `layer28` the classifier on the mean over the image. Padding is SAME: at stride 2 an image of
 * even size is padded below and to the right only. Source: tensorflow/models, research/audioset/yamnet.
 */
export function yamnetGraph(): ModelGraph {
  const layers: Layer[] = [{name: 'image', inputs: ['patches'], op: 'expand'}];
  let number = 0;
  let last = 'image';
  const convolution = (filters: number, kernel: number, stride: number): void => {
    const name = nextName();
    add({name, inputs: [last], op: 'convolution', filters, kernel: [kernel, kernel], stride});
    add({name: `${name}/relu6`, inputs: [last], op: 'relu6'});
  };
  const depthwise = (stride: number): void => {
    const name = nextName();
    add({name, inputs: [last], op: 'depthwise-convolution', kernel: [3, 3], stride});
    add({name: `${name}/relu6`, inputs: [last], op: 'relu6'});
  };
  function nextName(): string {
    number++;
    return `layer${number}`;
  }
  function add(layer: Layer): void {
    layers.push(layer);
    last = layer.name;
  }
  convolution(32, 3, 2);
  for (const [filters, stride] of BLOCKS) {
    depthwise(stride);
    convolution(filters, 1, 1);
  }
  add({name: YAMNET_EMBEDDINGS, inputs: [last], op: 'image-mean'});
  add({name: nextName(), inputs: [last], op: 'dense', units: YAMNET_CLASSES});
  add({name: YAMNET_SCORES, inputs: [last], op: 'sigmoid'});
  return {
    inputs: [{name: 'patches', shape: [PATCH_FRAMES, PATCH_BANDS]}],
    layers,
    outputs: [YAMNET_SCORES, YAMNET_EMBEDDINGS],
  };
}

const BLOCKS: readonly (readonly [filters: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];
