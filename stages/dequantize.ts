import {defineStage} from 'mixdown/stage';
import {readUint8, writeNpy} from './lib/formats/npy.ts';
import {dequantize} from './lib/learning/quantize.ts';

export default defineStage({
  name: 'dequantize',
  summary: 'Float vectors from quantised ones.',
  params: {
    rule: {
      type: 'string',
      enum: ['unit', 'whitened'],
      default: 'unit',
      about:
        'unit: (q - 128) / 128, as the classifiers take them; whitened: back to the -2 ... 2 of the PCA, as YouTube-8M',
    },
  },
  inputs: {quantized: {kind: 'file', about: 'uint8 .npy of any shape, from pca-quantize'}},
  outputs: {
    vectors: {
      kind: 'file',
      name: 'vectors.npy',
      // One byte in a hundred that is rounded the other way, as pca-quantize allows: a step is 4 / 255.
      compare: {as: 'npy', absolute: 0.0016},
      about: 'float32, of the same shape',
    },
  },
  run({params, inputs, outputs}) {
    const {shape, data} = readUint8(inputs.quantized, undefined, 'the quantised vectors');
    writeNpy(outputs.vectors, {shape, data: dequantize(data, params.rule)});
  },
});
