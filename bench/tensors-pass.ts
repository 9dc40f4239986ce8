// The networks of bench/tensors.mjs on one tensor engine of this project.
//
//   MODEL ENGINE BATCH THREADS STEPS
//
// Prints what torch_tensors.py prints: one line of JSON with milliseconds of each step after two to warm up, wall and processor,
// and seconds from the start of the process until the engine is loaded and until the first step is done.
import {createExtractor} from '../stages/lib/extractors/extractor.ts';
import type {Layer, ModelGraph} from '../stages/lib/models/graph.ts';
import {initialWeights} from '../stages/lib/models/initial-weights.ts';
import {createTrainer} from '../stages/lib/models/trainer.ts';
import {vggishGraph, withHead} from '../stages/lib/models/vggish.ts';
import {counterStream, counterUniform} from '../stages/lib/tensors/counter-random.ts';
import {loadEngine} from '../stages/lib/tensors/engine.ts';
import type {NamedArray} from '../stages/lib/tensors/named-array.ts';

const CLASSES = 527;
const LENGTH = 10;

const [model = '', engine = '', ...numbers] = process.argv.slice(2);
const [batch = 0, threads = 1, steps = 0] = numbers.map(Number);

function random(name: string, shape: readonly number[]): NamedArray {
  const stream = counterStream(1, name);
  const size = shape.reduce((product, axis) => product * axis, 1);
  return {shape, data: Float32Array.from({length: size}, (_, i) => counterUniform(stream, i))};
}

function dense(name: string, input: string, units: number): Layer {
  return {name, inputs: [input], op: 'dense', units};
}

/** Three blocks of 600 units, each dense, batch normalisation, ReLU and dropout. */
function trunk(): readonly Layer[] {
  return ['x', 'h1', 'h2'].flatMap((input, i) => {
    const name = `h${i + 1}`;
    return [
      dense(`${name}/dense`, input, 600),
      {name: `${name}/norm`, inputs: [`${name}/dense`], op: 'batch-norm', epsilon: 1e-3, momentum: 0.99},
      {name: `${name}/relu`, inputs: [`${name}/norm`], op: 'relu'},
      {name, inputs: [`${name}/relu`], op: 'dropout', rate: 0.4},
    ] satisfies readonly Layer[];
  });
}

function output(layers: readonly Layer[], input: string): ModelGraph {
  const head: readonly Layer[] = [
    dense('output', input, CLASSES),
    {name: 'probabilities', inputs: ['output'], op: 'sigmoid'},
  ];
  return {inputs: [{name: 'x', shape: [null, 128]}], layers: [...layers, ...head], outputs: ['probabilities']};
}

function graphOf(name: string): ModelGraph {
  switch (name) {
    case 'dense':
      return output([...trunk(), {name: 'mean', inputs: ['h3'], op: 'time-mean'}], 'mean');
    case 'lstm':
      return output([{name: 'last', inputs: ['x'], op: 'lstm', units: 600}], 'last');
    case 'attention': {
      const levels = ['h1', 'h2', 'h3'];
      const heads = levels.flatMap((level): readonly Layer[] => [
        dense(`${level}/scores`, level, CLASSES),
        dense(`${level}/attention`, level, CLASSES),
        {
          name: `${level}/pool`,
          inputs: [`${level}/scores`, `${level}/attention`],
          op: 'attention-pool',
          norm: 'sigmoid+time-sum',
        },
      ]);
      const all: Layer = {name: 'levels', inputs: levels.map((level) => `${level}/pool`), op: 'concat'};
      return output([...trunk(), ...heads, all], 'levels');
    }
    case 'fine-tune':
      return withHead(vggishGraph({width: 1}), {hidden: 100, classes: 41});
    default:
      throw new Error(`no model is called ${name}`);
  }
}

async function makeStep(): Promise<() => Promise<unknown>> {
  if (model === 'vggish') {
    const graph = vggishGraph({width: 1});
    const weights = initialWeights(graph, 1, {initialiser: 'he'});
    const extractor = await createExtractor({graph, weights, engine, threads});
    const {data} = random('patches', [batch, 96, 64]);
    return () => extractor.run(data, batch);
  }
  const graph = graphOf(model);
  const trainer = createTrainer(
    await loadEngine({engine, threads}),
    graph,
    {learningRate: 1e-3},
    initialWeights(graph, 1),
    1,
  );
  const isFineTune = model === 'fine-tune';
  const classes = isFineTune ? 41 : CLASSES;
  const targets = random('targets', [batch, classes]);
  for (const [i, value] of targets.data.entries()) {
    targets.data[i] = Number(isFineTune ? i % classes === Math.floor(i / classes) % classes : value < 0.01);
  }
  const inputs: Record<string, NamedArray> = isFineTune
    ? {patches: random('patches', [batch, 96, 64])}
    : {x: random('x', [batch, LENGTH, 128])};
  return () => trainer.step([{inputs, targets}]);
}

await loadEngine({engine, threads});
const loadedSeconds = performance.now() / 1000;
const step = await makeStep();
const wall: number[] = [];
const cpu: number[] = [];
let firstSeconds = 0;
for (let i = 0; i < steps + 2; i++) {
  const begin = performance.now();
  const before = process.cpuUsage();
  await step();
  const {user, system} = process.cpuUsage(before);
  if (i === 0) firstSeconds = performance.now() / 1000;
  if (i < 2) continue;
  wall.push(performance.now() - begin);
  cpu.push((user + system) / 1000);
}
const rssMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({wall, cpu, importSeconds: loadedSeconds, firstSeconds, rssMiB}));
