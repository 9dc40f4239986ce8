import {defineStage, StageError} from 'mixdown/stage';
import {geometricMean} from './lib/learning/geometric-mean.ts';
import {readFloat32, writeNpy} from './lib/formats/npy.ts';

export default defineStage({
  name: 'ensemble',
  summary: 'Geometric mean of the class probabilities of several models.',
  params: {},
  inputs: {predictions: {kind: 'file', many: true, about: 'float32 .npy, all of one shape (clips by key, classes)'}},
  outputs: {
    predictions: {
      kind: 'file',
      name: 'predictions.npy',
      about: 'probabilities, float32 (clips by key, classes), rows of sum 1; the classes stand as in the input',
    },
  },
  run({inputs, outputs, metric}) {
    const arrays = inputs.predictions.map((path, i) => readFloat32(path, 2, `predictions ${i + 1}`));
    const [first] = arrays;
    if (first === undefined) throw new StageError('there are no predictions to combine');
    for (const [i, {shape, data}] of arrays.entries()) {
      if (shape.some((size, axis) => size !== first.shape[axis])) {
        throw new StageError(
          `predictions ${i + 1} have shape [${shape.join(', ')}], predictions 1 have [${first.shape.join(', ')}]`,
        );
      }
      if (!data.every((value) => value >= 0 && value <= 1)) {
        throw new StageError(`predictions ${i + 1} hold a value that is not a probability`);
      }
    }
    const data = geometricMean(
      arrays.map((array) => array.data),
      first.shape[1] as number,
    );
    writeNpy(outputs.predictions, {shape: first.shape, data});
    metric('models', arrays.length);
  },
});
