import {StageError} from 'mixdown/stage';
import type {Weights} from '../tensors/named-array.ts';
import {ONE_WAY_OPS} from './forward.ts';
import type {GraphPlan} from './graph-plan.ts';
import {hasGradient, parameterShapes} from './shapes.ts';
import type {ModelGraph} from './graph.ts';

/** Names of a graph's parameters by what training does with them. */
export interface ParameterRoles {
  /** Moved by their gradient. */
  readonly learning: readonly string[];
  /** Running moments of batch normalisations that learn. */
  readonly moments: readonly string[];
  /** Read only; of layers that the loss depends on. */
  readonly frozen: readonly string[];
}

/**
 * Which parameters learn: those of the plan's layers that `trainable` chooses by name. Throws StageError when there are none,
 * and when one is in or before a layer that passes no gradient on.
 */
export function parameterRoles(
  graph: ModelGraph,
  {layers}: GraphPlan,
  trainable: (layer: string) => boolean,
): ParameterRoles {
  const needed = new Set(layers.map(({name}) => name));
  const chosen = new Set([...needed].filter((name) => trainable(name)));
  const names = [...parameterShapes(graph).keys()].filter((name) => needed.has(layerOf(name)));
  const isChosen = (parameter: string): boolean => chosen.has(layerOf(parameter));
  const learning = names.filter((name) => isChosen(name) && hasGradient(name));
  if (learning.length === 0) {
    throw new StageError('none of the layers that the loss depends on is to be trained', 'choose at least one');
  }
  const withGradient = new Set(learning.map(layerOf));
  for (const {name, op, inputs} of layers) {
    if (!withGradient.has(name) && !inputs.some((input) => withGradient.has(input))) continue;
    if (ONE_WAY_OPS.has(op)) {
      throw new StageError(
        `layer \`${name}\` (${op}) passes no gradient on, so neither it nor what is before it can be trained`,
        'freeze the layers up to it',
      );
    }
    withGradient.add(name);
  }
  return {
    learning,
    moments: names.filter((name) => isChosen(name) && !hasGradient(name)),
    frozen: names.filter((name) => !isChosen(name)),
  };
}

/** The layer that a parameter belongs to. */
export function layerOf(parameter: string): string {
  return parameter.slice(0, parameter.lastIndexOf('/'));
}

/** Whether a batch normalisation's running moments are as initialWeights makes them: no batch has touched them. */
export function hasFreshMoments(norm: string, weights: Weights): boolean {
  const mean = weights.get(`${norm}/mean`)?.data ?? [];
  const variance = weights.get(`${norm}/variance`)?.data ?? [];
  return mean.every((value) => value === 0) && variance.every((value) => value === 1);
}
