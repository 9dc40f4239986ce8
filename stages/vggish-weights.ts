import {defineStage} from 'mixdown/stage';
import {writeSafeTensors} from './lib/formats/safetensors.ts';
import {initialWeights} from './lib/models/initial-weights.ts';
import {vggishGraph} from './lib/models/vggish.ts';

export default defineStage({
  name: 'vggish-weights',
  summary: 'Seeded random weights for VGGish, full size or narrow, under the names of the released checkpoint.',
  params: {
    width: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.125,
      about: 'factor on the channels and units of every layer but the embedding; 1 is VGGish itself, 288 MB',
    },
    init: {
      type: 'string',
      enum: ['he', 'release'],
      default: 'he',
      about: 'he: useful as random features; release: standard deviation 0.01, as the released code starts training',
    },
  },
  inputs: {},
  outputs: {
    weights: {
      kind: 'file',
      name: 'weights.safetensors',
      about: 'float32; kernels are height, width, inputs, outputs; dense weights are inputs, outputs',
    },
  },
  seeded: true,
  run({params, outputs, seed, metric}) {
    const tensors = initialWeights(vggishGraph({width: params.width}), seed, {initialiser: params.init});
    writeSafeTensors(outputs.weights, tensors, {model: 'vggish', width: String(params.width), init: params.init});
    metric(
      'parameters',
      [...tensors.values()].reduce((sum, {data}) => sum + data.length, 0),
    );
  },
});
