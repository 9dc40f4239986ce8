import {StageError} from 'mixdown/stage';
import type {ModelGraph} from '../models/graph.ts';
import {layerShapes, type ExampleShape} from '../models/shapes.ts';
import type {FrontEnd} from './description.ts';
import type {Network} from './package-writer.ts';

/**
 * Throws StageError when the front end does not make what the networks take, or when the model's scores are no
 * probabilities that sum to 1.
 */
export function checkFit(model: ModelGraph, {logMel, extractor, pca, segments}: FrontEnd, network?: Network): void {
  const patch: ExampleShape = [logMel.patchFrames, logMel.bands];
  const op = model.layers.find(({name}) => name === model.outputs[0])?.op;
  if (op !== 'softmax' && op !== 'normalise') {
    throw new StageError(
      `the model's scores come from a layer of kind \`${op ?? 'input'}\`: no shares of the classes that sum to 1`,
      'a package is for models that end in softmax or normalise',
    );
  }
  if (network !== undefined) {
    check(inputShape(network.graph, 'the extractor'), patch, 'the extractor', 'set `bands` and `patchFrames` to it');
  }
  if (segments === undefined) {
    check(inputShape(model, 'the model'), patch, 'the model', 'give the weights that made its features as `extractor`');
    return;
  }
  const width = (pca?.components ?? extractor?.width ?? 0) * (segments.scales?.length ?? 1);
  check(
    inputShape(model, 'the model'),
    [segments.length, width],
    'the model',
    'look at `length`, `scales`, `components` and the input `pca`',
  );
}

/** Values of one example of the network's first output. */
export function outputWidth(graph: ModelGraph): number {
  const shape = layerShapes(graph).get(graph.outputs[0] ?? '') ?? [];
  return shape.reduce<number>((size, axis) => size * (axis ?? 1), 1);
}

function inputShape({inputs}: ModelGraph, what: string): ExampleShape {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1)
    throw new StageError(`${what} has ${inputs.length} inputs; one is needed`);
  return input.shape;
}

function check(wanted: ExampleShape, made: ExampleShape, what: string, hint: string): void {
  if (wanted.length === made.length && wanted.every((size, i) => size === null || size === made[i])) return;
  const text = (shape: ExampleShape): string => `[${shape.map((size) => size ?? 'any').join(', ')}]`;
  throw new StageError(`${what} takes ${text(wanted)}, the front end makes ${text(made)}`, hint);
}
