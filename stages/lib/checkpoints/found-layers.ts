import {StageError} from 'mixdown/stage';
import type {Layer, ModelGraph} from '../models/graph.ts';
import {layerShapes, parameterShapes} from '../models/shapes.ts';
import {firstOf, type Problems} from '../problems.ts';
import {layoutsOf, type Layout, type WeightKind} from './layout.ts';
import type {LayerNames} from './model-names.ts';
import {shapeText, type Checkpoint, type StoredTensor} from './stored-tensor.ts';
import {tensorNames, type KnownName} from './tensor-names.ts';

/** A tensor of the checkpoint that is a part of a layer. */
export interface FoundTensor extends KnownName {
  /** The checkpoint's name. */
  readonly found: string;
  readonly tensor: StoredTensor;
}

/** A batch normalisation after the layer. */
export interface FoundNorm {
  readonly gamma: FoundTensor | undefined;
  readonly beta: FoundTensor;
  readonly mean: FoundTensor;
  readonly variance: FoundTensor;
}

export interface FoundLayer {
  readonly name: string;
  readonly kind: WeightKind;
  /** Shape of the weights in the model. */
  readonly shape: readonly number[];
  readonly channels: number;
  /** Shape of the image that is flattened before the layer; undefined where none is. */
  readonly image: readonly number[] | undefined;
  readonly weights: FoundTensor;
  /** How the weights lie in the checkpoint. */
  readonly layout: Layout;
  readonly biases: FoundTensor | undefined;
  /** With a normalisation a layer needs no biases. */
  readonly norm: FoundNorm | undefined;
}

/** The layers of a model as a checkpoint has them. */
export interface FoundLayers {
  readonly layers: readonly FoundLayer[];
  /** Parameters of the model that the checkpoint does not have. */
  readonly missing: readonly string[];
  /** The checkpoint's names of what is used. */
  readonly used: ReadonlySet<string>;
}

/**
 * Finds the layers of `graph` that have parameters. `namesOf` gives the known names of a layer by its name and its number among
 * them, `renamed` our names to the checkpoint's, which come first. Tensors of a wrong shape are added to `problems`.
 */
export function findLayers(
  graph: ModelGraph,
  {tensors, path}: Checkpoint,
  namesOf: (layer: string, number: number) => LayerNames,
  renamed: Readonly<Record<string, string>>,
  problems: Problems,
): FoundLayers {
  const shapes = parameterShapes(graph);
  for (const name of Object.keys(renamed)) {
    if (!shapes.has(name)) {
      throw new StageError(
        `param names: the model has no parameter \`${name}\``,
        `it has ${firstOf([...shapes.keys()])}`,
      );
    }
  }
  const index = tensorNames(tensors.keys());
  const used = new Set<string>();
  const missing: string[] = [];

  function find(ours: string, known: readonly KnownName[]): FoundTensor | undefined {
    const own = Object.hasOwn(renamed, ours) ? renamed[ours] : undefined;
    const match = own === undefined ? index.find(known) : {name: own, found: own, layout: 'tensorflow' as const};
    const tensor = match && tensors.get(match.found);
    if (own !== undefined && tensor === undefined) {
      throw new StageError(
        `param names: \`${path}\` has no tensor \`${own}\``,
        `it has ${firstOf([...tensors.keys()])}`,
      );
    }
    if (match === undefined || tensor === undefined) return undefined;
    used.add(match.found);
    return {...match, tensor};
  }

  function findNorm(ours: string, {gamma, beta, mean, variance}: Required<LayerNames>['norm']): FoundNorm | undefined {
    const parts = {
      gamma: find(`${ours}/gamma`, gamma),
      beta: find(`${ours}/beta`, beta),
      mean: find(`${ours}/mean`, mean),
      variance: find(`${ours}/variance`, variance),
    };
    const {beta: shift, mean: centre, variance: spread} = parts;
    if (!shift || !centre || !spread) return undefined;
    for (const part of [parts.gamma, shift, centre, spread]) {
      checkVector(part, `${ours}/biases`, shapes.get(`${ours}/biases`) ?? [], problems);
    }
    return {gamma: parts.gamma, beta: shift, mean: centre, variance: spread};
  }

  const images = flattenedImages(graph);
  const layers: Omit<FoundLayer, 'layout'>[] = [];
  let number = 0;
  for (const {name, op, inputs} of graph.layers) {
    if (!isWeightKind(op)) continue;
    const known = namesOf(name, number++);
    const weights = find(`${name}/weights`, known.weights);
    const norm = known.norm && findNorm(name, known.norm);
    const biases = find(`${name}/biases`, known.biases);
    const vector = shapes.get(`${name}/biases`) ?? [];
    checkVector(biases, `${name}/biases`, vector, problems);
    if (weights === undefined) missing.push(`${name}/weights`);
    if (biases === undefined && norm === undefined) missing.push(`${name}/biases`);
    if (weights === undefined) continue;
    const shape = shapes.get(`${name}/weights`) ?? [];
    layers.push({
      name,
      kind: op,
      shape,
      channels: vector[0] ?? 0,
      image: images.get(inputs[0] ?? ''),
      weights,
      biases,
      norm,
    });
  }
  return {layers: withLayouts(layers, problems), missing, used};
}

function isWeightKind(op: Layer['op']): op is WeightKind {
  return op === 'convolution' || op === 'depthwise-convolution' || op === 'dense';
}

/** By flattening layer, the shape that it flattens. */
function flattenedImages(graph: ModelGraph): ReadonlyMap<string, readonly number[]> {
  const shapes = layerShapes(graph);
  const flat = graph.layers.filter(({op}) => op === 'flatten');
  return new Map(flat.map(({name, inputs}) => [name, (shapes.get(inputs[0] ?? '') ?? []).map((size) => size ?? 0)]));
}

/**
 * The layout of each layer's weights. Where a shape allows both it is that of the other layers of the kind, or, when their shapes
 * do not tell either, what goes with the name.
 */
function withLayouts(layers: readonly Omit<FoundLayer, 'layout'>[], problems: Problems): readonly FoundLayer[] {
  const possible = layers.map(({kind, shape, weights}) => layoutsOf(kind, weights.tensor.shape, shape));
  return layers.map((layer, i) => {
    const [first, second] = possible[i] ?? [];
    if (first === undefined) {
      addMisfit(problems, layer.weights, `${layer.name}/weights`, layer.shape);
    }
    if (first !== undefined && second === undefined) return {...layer, layout: first};
    const sure = possible.filter((layouts, j) => layouts.length === 1 && layers[j]?.kind === layer.kind);
    const [other = layer.weights.layout] = new Set(sure.flat());
    return {...layer, layout: new Set(sure.flat()).size === 1 ? other : layer.weights.layout};
  });
}

function checkVector(
  tensor: FoundTensor | undefined,
  ours: string,
  shape: readonly number[],
  problems: Problems,
): void {
  if (tensor === undefined || shapeText(tensor.tensor.shape) === shapeText(shape)) return;
  addMisfit(problems, tensor, ours, shape);
}

function addMisfit(problems: Problems, {found, tensor}: FoundTensor, ours: string, shape: readonly number[]): void {
  problems.add(`\`${found}\` has shape ${shapeText(tensor.shape)}; \`${ours}\` of the model has ${shapeText(shape)}`);
}
