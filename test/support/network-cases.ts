import {counterStream} from '../../stages/lib/tensors/counter-random.ts';
import {createRng} from '../../stages/lib/rng.ts';
import type {LayerKit} from './layer-kit.ts';

/** A small network with its data, on values of any kind. */
export interface NetworkCase {
  readonly name: string;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly learningRate: number;
  /** Loss of a step of training, from 1. */
  readonly loss: <T>(kit: LayerKit<T>, get: (name: string) => T, step: number) => T;
}

const EXAMPLES = 6;
const PIECES = 3;
const FEATURES = 4;
const UNITS = 5;
const CLASSES = 3;

/** Class of each example. */
const CLASS_OF = [0, 1, 2, 0, 1, 2];

export const networkCases: readonly NetworkCase[] = [
  {
    name: 'multi-level attention',
    learningRate: 0.01,
    parameters: {
      ...denseShapes('h1', FEATURES, UNITS),
      ...normShapes('h1', UNITS),
      ...denseShapes('h1/scores', UNITS, CLASSES),
      ...denseShapes('h1/attention', UNITS, CLASSES),
      ...normShapes('h1/attention', CLASSES),
      ...denseShapes('h2', UNITS, UNITS),
      ...normShapes('h2', UNITS),
      ...denseShapes('h2/scores', UNITS, CLASSES),
      ...denseShapes('h2/attention', UNITS, CLASSES),
      ...normShapes('h2/attention', CLASSES),
      ...denseShapes('output', 2 * CLASSES, CLASSES),
    },
    loss(kit, get, step) {
      const cube = [EXAMPLES, PIECES, CLASSES];
      let hidden = vectors(kit);
      const levels = ['h1', 'h2'].map((name) => {
        hidden = block(kit, get, name, hidden, step);
        const scores = denseLayer(kit, get, `${name}/scores`, hidden);
        const attention = norm(kit, get, `${name}/attention`, denseLayer(kit, get, `${name}/attention`, hidden));
        const pool = kit.attentionPool(
          kit.reshape(scores, cube),
          kit.reshape(attention, cube),
          'class-softmax+time-sum',
        );
        return pool;
      });
      const logits = denseLayer(kit, get, 'output', kit.concatColumns(levels));
      return kit.softmaxCrossEntropy(logits, oneHot(kit));
    },
  },
  {
    name: 'dense',
    learningRate: 0.01,
    parameters: {
      ...denseShapes('h1', FEATURES, UNITS),
      ...normShapes('h1', UNITS),
      ...denseShapes('h2', UNITS, UNITS),
      ...normShapes('h2', UNITS),
      ...denseShapes('output', UNITS, CLASSES),
    },
    loss(kit, get, step) {
      const hidden = block(kit, get, 'h2', block(kit, get, 'h1', vectors(kit), step), step);
      const mean = kit.timeMean(kit.reshape(hidden, [EXAMPLES, PIECES, UNITS]));
      return kit.sigmoidCrossEntropy(denseLayer(kit, get, 'output', mean), oneHot(kit));
    },
  },
  {
    name: 'LSTM',
    learningRate: 0.02,
    parameters: {
      'lstm/weights': [FEATURES, 4 * UNITS],
      'lstm/recurrent': [UNITS, 4 * UNITS],
      'lstm/biases': [4 * UNITS],
      ...denseShapes('output', UNITS, CLASSES),
    },
    loss(kit, get) {
      const series = kit.reshape(vectors(kit), [EXAMPLES, PIECES, FEATURES]);
      const last = kit.lstm(series, get('lstm/weights'), get('lstm/recurrent'), get('lstm/biases'));
      return kit.softmaxCrossEntropy(denseLayer(kit, get, 'output', last), oneHot(kit));
    },
  },
  {
    name: 'masks: batch normalisation, LSTM, attention and a mean over some of the vectors',
    learningRate: 0.01,
    parameters: {
      ...normShapes('input', FEATURES),
      'lstm/weights': [FEATURES, 4 * UNITS],
      'lstm/recurrent': [UNITS, 4 * UNITS],
      'lstm/biases': [4 * UNITS],
      ...denseShapes('scores', FEATURES, CLASSES),
      ...denseShapes('attention', FEATURES, CLASSES),
      ...denseShapes('output', UNITS + CLASSES + FEATURES, CLASSES),
    },
    loss(kit, get) {
      const series = (x: ReturnType<typeof get>, width: number) => kit.reshape(x, [EXAMPLES, PIECES, width]);
      // One, two or three vectors each.
      const isReal = Array.from({length: EXAMPLES * PIECES}, (_, i) => (i % PIECES <= (i / PIECES) % PIECES ? 1 : 0));
      const x = vectors(kit);
      const column = kit.tensor([EXAMPLES * PIECES, 1], isReal);
      const normed = kit.batchNorm(x, get('input/gamma'), get('input/beta'), 1e-3, column);
      const mask = kit.tensor([EXAMPLES, PIECES], isReal);
      const parts = [
        kit.lstm(series(normed, FEATURES), get('lstm/weights'), get('lstm/recurrent'), get('lstm/biases'), mask),
        kit.attentionPool(
          series(denseLayer(kit, get, 'scores', normed), CLASSES),
          series(denseLayer(kit, get, 'attention', normed), CLASSES),
          'class-softmax+time-sum',
          mask,
        ),
        kit.timeMean(series(normed, FEATURES), mask),
      ];
      return kit.softmaxCrossEntropy(denseLayer(kit, get, 'output', kit.concatColumns(parts)), oneHot(kit));
    },
  },
  {
    name: 'convolutions',
    learningRate: 0.005,
    parameters: {
      'conv1/weights': [3, 3, 1, 4],
      'conv1/biases': [4],
      'conv2/weights': [3, 3, 4, 3],
      'conv2/biases': [3],
      ...denseShapes('hidden', 12, 4),
      ...denseShapes('output', 7, CLASSES),
    },
    loss(kit, get) {
      const images = kit.tensor([EXAMPLES, 7, 6, 1], examples(7 * 6));
      const conv1 = kit.maxPool(kit.relu(kit.convolution(images, get('conv1/weights'), get('conv1/biases'), 1)));
      const conv2 = kit.relu(kit.convolution(conv1, get('conv2/weights'), get('conv2/biases'), 2));
      const hidden = kit.sigmoid(denseLayer(kit, get, 'hidden', kit.flatten(conv2)));
      const both = kit.concatColumns([hidden, kit.imageMean(conv2)]);
      return kit.shareCrossEntropy(kit.sigmoid(denseLayer(kit, get, 'output', both)), oneHot(kit));
    },
  },
];

/** Uniform values of a standard deviation that keeps the size of the signal; gamma is around 1. */
export function initialValues(name: string, shape: readonly number[]): Float32Array {
  const rng = createRng(5).fork(name);
  const inputs = shape.slice(0, -1).reduce((product, axis) => product * axis, 1);
  const width = shape.length === 1 ? 0.1 : Math.sqrt(3 / inputs);
  const centre = name.endsWith('/gamma') ? 1 : 0;
  const size = shape.reduce((product, axis) => product * axis, 1);
  return Float32Array.from({length: size}, () => centre + width * (2 * rng.uniform() - 1));
}

function vectors<T>(kit: LayerKit<T>): T {
  return kit.tensor([EXAMPLES * PIECES, FEATURES], examples(PIECES * FEATURES));
}

/** Values with a pattern of the class in them. */
function examples(size: number): Float32Array {
  const rng = createRng(11);
  return Float32Array.from({length: EXAMPLES * size}, (_, i) => {
    const label = CLASS_OF[Math.floor(i / size)] ?? 0;
    return rng.uniform() - 0.5 + (i % CLASSES === label ? 0.5 : 0);
  });
}

function oneHot<T>(kit: LayerKit<T>): T {
  const values = CLASS_OF.flatMap((label) => Array.from({length: CLASSES}, (_, i) => (i === label ? 1 : 0)));
  return kit.tensor([EXAMPLES, CLASSES], values);
}

/** A hidden block: dense, batch normalisation, ReLU, dropout. */
function block<T>(kit: LayerKit<T>, get: (name: string) => T, name: string, x: T, step: number): T {
  const active = kit.relu(norm(kit, get, name, denseLayer(kit, get, name, x)));
  return kit.dropout(active, 0.3, counterStream(1, `${name}/${step}`));
}

function denseLayer<T>(kit: LayerKit<T>, get: (name: string) => T, name: string, x: T): T {
  return kit.dense(x, get(`${name}/weights`), get(`${name}/biases`));
}

function norm<T>(kit: LayerKit<T>, get: (name: string) => T, name: string, x: T): T {
  return kit.batchNorm(x, get(`${name}/gamma`), get(`${name}/beta`), 1e-3);
}

function denseShapes(name: string, from: number, to: number): Record<string, readonly number[]> {
  return {[`${name}/weights`]: [from, to], [`${name}/biases`]: [to]};
}

function normShapes(name: string, width: number): Record<string, readonly number[]> {
  return {[`${name}/gamma`]: [width], [`${name}/beta`]: [width]};
}
