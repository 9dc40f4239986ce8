import {StageError} from 'mixdown/stage';
import type {ModelGraph} from '../models/graph.ts';
import {parameterShapes} from '../models/shapes.ts';
import {firstOf, gatherProblems} from '../problems.ts';
import {foldNorm} from './fold-norm.ts';
import {findLayers, type FoundLayer} from './found-layers.ts';
import {readAs, reorderFlattened} from './layout.ts';
import type {LayerNames} from './model-names.ts';
import {shapeText, type Checkpoint} from './stored-tensor.ts';

/** A model to be filled with the tensors of a checkpoint. */
export interface ImportTarget {
  /** For messages. */
  readonly title: string;
  readonly graph: ModelGraph;
  /** Known names of a layer, by its name and its number, from 0, among those with parameters. */
  readonly namesOf: (layer: string, number: number) => LayerNames;
}

/** Order of the inputs of dense weights that see a flattened image; `auto`: what is known of the checkpoint's names. */
export type FlattenOrder = 'auto' | 'rows-first' | 'channels-first';

export interface ImportOptions {
  /** Our names to the checkpoint's, for tensors that nobody else calls so. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly flatten: FlattenOrder;
}

export interface ImportPlan {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The checkpoint's names of the tensors that are not used, sorted. */
  readonly leftOver: readonly string[];
  /** Values of a parameter. Throws StageError when the checkpoint is damaged or holds NaN or an infinity. */
  read(this: void, parameter: string): Float32Array;
}

/**
 * Finds each parameter of a model among the tensors of a checkpoint by its name, and checks the shapes; values are read when
 * they are asked for. Throws StageError that names all that is missing or has another shape.
 */
export function planImport(checkpoint: Checkpoint, target: ImportTarget, options: ImportOptions): ImportPlan {
  const problems = gatherProblems(`the weights in \`${checkpoint.path}\``);
  const shapes = parameterShapes(target.graph);
  const {layers, missing, used} = findLayers(target.graph, checkpoint, target.namesOf, options.renamed, problems);
  if (missing.length > 0) throw missingError(checkpoint, target.title, missing, shapes.size);
  problems.check();
  const parts = new Map<string, () => Float32Array>();
  for (const layer of layers) {
    const reorder = layer.image !== undefined && isChannelsFirst(layer, layers, options.flatten, checkpoint);
    const weights = (): Float32Array => {
      const values = readAs(layer.kind, layer.layout, layer.weights.tensor);
      return reorder ? reorderFlattened(values, layer.image ?? []) : values;
    };
    const {norm, biases} = layer;
    const folded = norm && (() => foldNorm(norm, layer.channels, biases?.tensor.read()));
    parts.set(`${layer.name}/weights`, folded ? () => folded().scale(weights()) : weights);
    parts.set(
      `${layer.name}/biases`,
      folded ? () => folded().biases : () => biases?.tensor.read() ?? new Float32Array(0),
    );
  }
  return {
    shapes,
    leftOver: [...checkpoint.tensors.keys()].filter((name) => !used.has(name)).sort(),
    read(parameter) {
      const values = parts.get(parameter)?.();
      if (values === undefined) throw new RangeError(`no parameter ${parameter}`);
      if (!values.every(Number.isFinite)) {
        throw new StageError(`\`${checkpoint.path}\`: \`${parameter}\` holds a value that is not a finite number`);
      }
      return values;
    },
  };
}

function missingError(
  {path, kind, tensors}: Checkpoint,
  title: string,
  missing: readonly string[],
  all: number,
): StageError {
  const there = [...tensors].map(([name, {shape}]) => `${name} (${shapeText(shape)})`);
  return new StageError(
    `\`${path}\` (${kind}) lacks ${missing.length} of the ${all} tensors of ${title}: ${firstOf(missing)}`,
    `it has ${there.length === 0 ? 'no tensors' : firstOf(there)}; if they are there under other names, tell with param \`names\``,
  );
}

/** TensorFlow has channels last; PyTorch has them first, unless the network moves them, which only its names may tell. */
function isChannelsFirst(
  {weights, layout}: FoundLayer,
  layers: readonly FoundLayer[],
  flatten: FlattenOrder,
  {path}: Checkpoint,
): boolean {
  if (flatten !== 'auto') return flatten === 'channels-first';
  const isTensorFlow = layout === 'tensorflow' && layers.every((other) => other.layout === 'tensorflow');
  if (isTensorFlow || weights.flattensRowsFirst === true) return false;
  throw new StageError(
    `\`${path}\`: the name \`${weights.found}\` does not tell in which order these weights see the image before them`,
    'set param `flatten`: rows-first when the network moves the channels to the end before it flattens, as torchvggish ' +
      'does; channels-first when it flattens the image as PyTorch keeps it',
  );
}
