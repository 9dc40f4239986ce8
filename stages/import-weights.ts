import {setImmediate} from 'node:timers/promises';
import {defineStage, StageError, type Json} from 'mixdown/stage';
import {CHECKPOINT_FORMATS} from './lib/checkpoints/file-kinds.ts';
import {planImport, type ImportTarget} from './lib/checkpoints/import-plan.ts';
import {vggishNames, yamnetNames} from './lib/checkpoints/model-names.ts';
import {openCheckpoint} from './lib/checkpoints/open.ts';
import {sizeOf} from './lib/checkpoints/stored-tensor.ts';
import {safeTensorsWriter} from './lib/formats/safetensors.ts';
import {vggishGraph} from './lib/models/vggish.ts';
import {yamnetGraph} from './lib/models/yamnet.ts';
import {count, firstOf} from './lib/problems.ts';

export default defineStage({
  name: 'import-weights',
  summary: 'Released weights of VGGish or YAMNet, in the form that stages vggish, yamnet and fine-tune read.',
  params: {
    model: {type: 'string', enum: ['vggish', 'yamnet'], default: 'vggish', about: 'the network the weights belong to'},
    format: {
      type: 'string',
      enum: ['auto', ...CHECKPOINT_FORMATS],
      default: 'auto',
      about: 'take only a file of this format; tensorflow is both versions of its checkpoints; auto: any',
    },
    file: {
      type: 'string',
      default: '',
      about:
        'path in the folder when it holds several checkpoints; of one in several files, what their names start with',
    },
    width: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      about: 'for VGGish, the width as in vggish-weights; 1 is the released network of 72,141,184 parameters',
    },
    flatten: {
      type: 'string',
      enum: ['auto', 'rows-first', 'channels-first'],
      default: 'auto',
      about:
        'for VGGish, how the first dense layer sees the image: row, column, channel (TensorFlow, Keras, torchvggish, ' +
        'torchaudio) or channel, row, column (ports to PyTorch that flatten as it is); auto: as the names tell',
    },
    names: {
      type: 'object',
      default: {},
      about:
        'our name of a parameter to its name in the file, such as {vggish/fc2/weights: head.weight}, for unknown ones',
    },
  },
  inputs: {
    files: {
      kind: 'tree',
      about:
        'folder with the checkpoint: a TensorFlow checkpoint (one file, or .index and .data-...), .npz, .safetensors, ' +
        '.onnx, or a manifest (.json) and its .bin. VGGish as released is ' +
        'https://storage.googleapis.com/audioset/vggish_model.ckpt (288 MB, TensorFlow, version 1)',
    },
  },
  outputs: {
    weights: {
      kind: 'file',
      name: 'weights.safetensors',
      about:
        'float32, names of VGGish as in the released checkpoint; kernels are height, width, inputs, outputs; dense weights ' +
        'are inputs, outputs; batch normalisations are part of the layers before them',
    },
  },
  async run({params, inputs, outputs, signal, log, progress, metric}) {
    const target = targetOf(params.model, params.width);
    const checkpoint = openCheckpoint(inputs.files, params);
    try {
      const {shapes, leftOver, read} = planImport(checkpoint, target, {
        renamed: renamedOf(params.names),
        flatten: params.flatten,
      });
      const sizes = new Map([...shapes].map(([name, shape]) => [name, sizeOf(shape)]));
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      // Where the weights come from is not part of the file: equal weights are equal bytes, and nothing after them runs again.
      const writer = safeTensorsWriter(outputs.weights, shapes, {model: params.model});
      try {
        let done = 0;
        for (const name of writer.names) {
          await setImmediate();
          signal.throwIfAborted();
          writer.write(name, read(name));
          done += sizes.get(name) ?? 0;
          progress(done / total, name);
        }
      } finally {
        writer.close();
      }
      log(`${count(shapes.size, 'tensor')} of ${target.title} from \`${checkpoint.path}\` (${checkpoint.kind})`);
      if (leftOver.length > 0) log(`not used, ${count(leftOver.length, 'tensor')}: ${firstOf(leftOver)}`);
      metric('parameters', total);
      metric('leftOver', leftOver.length);
    } finally {
      checkpoint.close();
    }
  },
});

function targetOf(model: 'vggish' | 'yamnet', width: number): ImportTarget {
  if (model === 'yamnet') return {title: 'YAMNet', graph: yamnetGraph(), namesOf: (_, number) => yamnetNames(number)};
  return {title: 'VGGish', graph: vggishGraph({width}), namesOf: vggishNames};
}

function renamedOf(names: Readonly<Record<string, Json>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(names)) {
    if (typeof value !== 'string')
      throw new StageError(`param names: \`${name}\` must be a name, not ${JSON.stringify(value)}`);
  }
  return names as Readonly<Record<string, string>>;
}
