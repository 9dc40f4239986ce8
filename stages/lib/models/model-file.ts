import {StageError} from 'mixdown/stage';
import {readSafeTensors, writeSafeTensors} from '../formats/safetensors.ts';
import type {Weights} from '../tensors/named-array.ts';
import {graphFromJson} from './graph-json.ts';
import type {ModelGraph} from './graph.ts';
import {checkWeights, layerShapes, parameterShapes} from './shapes.ts';

/** A trained model. In a file: safetensors with its parameters, and the rest as text in the metadata. */
export interface ModelFile {
  readonly graph: ModelGraph;
  readonly weights: Weights;
  /** Names of the classes, in the order of the first output's last axis. */
  readonly classes: readonly string[];
  /** What else a reader may want to know, such as how it was trained. */
  readonly about: Readonly<Record<string, string>>;
}

const FORMAT = 'model/1';

/** Writes the model; equal models give equal bytes. Weights that the graph does not have are left out. */
export function writeModel(path: string, {graph, weights, classes, about}: ModelFile): void {
  checkModel(graph, weights, classes);
  const own = [...parameterShapes(graph).keys()].map((name) => [name, weights.get(name)] as const);
  writeSafeTensors(path, new Map(own.flatMap(([name, array]) => (array === undefined ? [] : [[name, array]]))), {
    ...about,
    format: FORMAT,
    graph: JSON.stringify(graph),
    classes: JSON.stringify(classes),
  });
}

/** Reads what writeModel wrote. Throws StageError for anything else; `name` stands for the file in messages. */
export function readModel(path: string, name = 'the model'): ModelFile {
  const {tensors, metadata} = readSafeTensors(path, name);
  const {format, graph: graphText, classes: classesText, ...about} = metadata;
  if (format !== FORMAT) {
    throw new StageError(
      `${name} is not a model: its format is ${format === undefined ? 'not given' : `\`${format}\``}, not \`${FORMAT}\``,
      'stages train and fine-tune make models; bare weights have no classes and no graph',
    );
  }
  const graph = graphFromJson(parsed(graphText), name);
  const classes = parsed(classesText);
  if (!Array.isArray(classes) || !classes.every((label) => typeof label === 'string')) {
    throw new StageError(`${name} does not hold a model: its classes are not a list of names`);
  }
  checkModel(graph, tensors, classes);
  return {graph, weights: tensors, classes, about};
}

function checkModel(graph: ModelGraph, weights: Weights, classes: readonly string[]): void {
  checkWeights(graph, weights);
  const [output = ''] = graph.outputs;
  const width = layerShapes(graph).get(output)?.at(-1);
  if (width !== classes.length) {
    throw new StageError(`the model gives ${width} scores for ${classes.length} classes`);
  }
}

/** Undefined for what is not JSON. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
