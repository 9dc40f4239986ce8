import {ATTENTION_NORMS} from '../../stages/lib/models/graph.ts';
import {counterStream} from '../../stages/lib/tensors/counter-random.ts';
import type {LayerKit} from './layer-kit.ts';

/** A function of some inputs, on values of any kind. */
export interface LayerCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  /** Inputs are 0.1 ... 0.9, else also their negatives: away from the kinks at 0. */
  readonly positive?: true;
  /** For inference only. */
  readonly hasNoGradient?: true;
  readonly run: <T>(kit: LayerKit<T>, inputs: Inputs<T>) => T;
}

/** As many as there are shapes. */
type Inputs<T> = readonly [T, T, T, T];

const wanted = [1, 0, 0, 0, 0.25, 0.75];
const labels = [1, 0, 1, 0, 0.5, 1];

/** Five series of four steps: none masked, the last, some between, the first, all. */
const MASK = [1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0];

/** Sizes are small or odd where code works in blocks, and larger than a block where sums are split. */
export const layerCases: readonly LayerCase[] = [
  {name: 'dense, small', shapes: [[4, 3], [3, 5], [5]], run: (kit, [x, w, b]) => kit.dense(x, w, b)},
  {name: 'dense, 1 x 1', shapes: [[1, 1], [1, 1], [1]], run: (kit, [x, w, b]) => kit.dense(x, w, b)},
  {name: 'dense, blocks', shapes: [[67, 45], [45, 83], [83]], run: (kit, [x, w, b]) => kit.dense(x, w, b)},
  ...[1, 2].map((stride): LayerCase => ({
    name: `convolution, stride ${stride}`,
    shapes: [[2, 7, 6, 3], [3, 3, 3, 5], [5]],
    run: (kit, [x, f, b]) => kit.convolution(x, f, b, stride),
  })),
  {
    name: 'convolution of one channel to many',
    shapes: [[2, 12, 8, 1], [3, 3, 1, 20], [20]],
    run: (kit, [x, f, b]) => kit.convolution(x, f, b, 1),
  },
  {
    name: 'convolution, 1 x 1',
    shapes: [[2, 5, 4, 6], [1, 1, 6, 9], [9]],
    run: (kit, [x, f, b]) => kit.convolution(x, f, b, 1),
  },
  {name: 'max-pool, even', shapes: [[2, 6, 4, 8]], run: (kit, [x]) => kit.maxPool(x)},
  {name: 'max-pool, odd', shapes: [[2, 5, 3, 3]], run: (kit, [x]) => kit.maxPool(x)},
  {name: 'image mean', shapes: [[3, 4, 5, 6]], run: (kit, [x]) => kit.imageMean(x)},
  {name: 'flatten', shapes: [[3, 2, 3, 2]], run: (kit, [x]) => kit.flatten(x)},
  {name: 'reshape', shapes: [[6, 4]], run: (kit, [x]) => kit.reshape(x, [2, 3, 4])},
  {
    name: 'batch normalisation, small',
    shapes: [[6, 3], [3], [3]],
    run: (kit, [x, g, b]) => kit.batchNorm(x, g, b, 1e-3),
  },
  {
    name: 'batch normalisation, blocks',
    shapes: [[75, 37], [37], [37]],
    run: (kit, [x, g, b]) => kit.batchNorm(x, g, b, 1e-3),
  },
  {name: 'dropout', shapes: [[9, 7]], run: (kit, [x]) => kit.dropout(x, 0.4, counterStream(3, 'mask'))},
  {name: 'relu', shapes: [[5, 7]], run: (kit, [x]) => kit.relu(x)},
  {name: 'relu of an image', shapes: [[2, 3, 3, 2]], run: (kit, [x]) => kit.relu(x)},
  {name: 'sigmoid', shapes: [[5, 7]], run: (kit, [x]) => kit.sigmoid(x)},
  {name: 'time mean', shapes: [[3, 5, 7]], run: (kit, [x]) => kit.timeMean(x)},
  {
    name: 'concatenation',
    shapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    run: (kit, [a, b, c]) => kit.concatColumns([a, b, c]),
  },
  {
    name: 'sum of one tensor twice and another',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    run: (kit, [a, b]) => kit.sumOf([a, b, a]),
  },
  {
    name: 'LSTM',
    shapes: [[3, 4, 2], [2, 20], [5, 20], [20]],
    run: (kit, [x, w, r, b]) => kit.lstm(x, w, r, b),
  },
  {
    name: 'LSTM of one step',
    shapes: [[2, 1, 3], [3, 8], [2, 8], [8]],
    run: (kit, [x, w, r, b]) => kit.lstm(x, w, r, b),
  },
  {
    name: 'LSTM with masked steps at the end, in between, at the start and everywhere',
    shapes: [[5, 4, 2], [2, 20], [5, 20], [20]],
    run: (kit, [x, w, r, b]) => kit.lstm(x, w, r, b, kit.tensor([5, 4], MASK)),
  },
  {
    name: 'batch normalisation of some rows',
    shapes: [[20, 3], [3], [3]],
    run: (kit, [x, g, b]) => kit.batchNorm(x, g, b, 1e-3, kit.tensor([20, 1], MASK)),
  },
  {
    name: 'time mean with masked times',
    shapes: [[5, 4, 7]],
    run: (kit, [x]) => kit.timeMean(x, kit.tensor([5, 4], MASK)),
  },
  {
    name: 'mean of one tensor twice and another',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    run: (kit, [a, b]) => kit.meanOf([a, b, a]),
  },
  {
    name: 'mask of vectors',
    shapes: [],
    hasNoGradient: true,
    run: (kit) => kit.vectorMask(kit.tensor([2, 3, 2], [0, 0, 0, 1e-20, -2, 0, 1, -1, 0, 0, -1e-38, 0])),
  },
  ...ATTENTION_NORMS.map((norm): LayerCase => ({
    name: `attention pool with masked times, ${norm}`,
    shapes: [
      [5, 4, 7],
      [5, 4, 7],
    ],
    run: (kit, [scores, attention]) => kit.attentionPool(scores, attention, norm, kit.tensor([5, 4], MASK)),
  })),
  ...ATTENTION_NORMS.map((norm): LayerCase => ({
    name: `attention pool, ${norm}`,
    shapes: [
      [3, 5, 7],
      [3, 5, 7],
    ],
    run: (kit, [scores, attention]) => kit.attentionPool(scores, attention, norm),
  })),
  {
    name: 'softmax cross-entropy',
    shapes: [[2, 3]],
    run: (kit, [x]) => kit.softmaxCrossEntropy(x, kit.tensor([2, 3], wanted)),
  },
  {
    name: 'sigmoid cross-entropy',
    shapes: [[2, 3]],
    run: (kit, [x]) => kit.sigmoidCrossEntropy(x, kit.tensor([2, 3], labels)),
  },
  {
    name: 'cross-entropy of shares',
    shapes: [[2, 3]],
    positive: true,
    run: (kit, [x]) => kit.shareCrossEntropy(x, kit.tensor([2, 3], wanted)),
  },
  {
    name: 'a tensor used twice',
    shapes: [[4, 3], [3, 3], [3]],
    run: (kit, [x, w, b]) => kit.dense(kit.sigmoid(kit.dense(x, w, b)), w, b),
  },
  {
    name: 'dense with ReLU',
    shapes: [[7, 30], [30, 9], [9]],
    hasNoGradient: true,
    run: (kit, [x, w, b]) => kit.rectifiedDense(x, w, b),
  },
  ...[1, 2].flatMap((stride): readonly LayerCase[] => [
    {
      name: `convolution with ReLU to 6, stride ${stride}`,
      shapes: [[2, 9, 6, 30], [3, 3, 30, 8], [8]],
      positive: true,
      hasNoGradient: true,
      run: (kit, [x, f, b]) => kit.rectifiedConvolution(x, f, b, stride),
    },
    {
      name: `depthwise convolution with ReLU to 6, stride ${stride}`,
      shapes: [[2, 7, 6, 5], [3, 3, 5, 1], [5]],
      hasNoGradient: true,
      run: (kit, [x, f, b]) => kit.rectifiedDepthwise(x, f, b, stride),
    },
  ]),
  {name: 'softmax', shapes: [[5, 7]], hasNoGradient: true, run: (kit, [x]) => kit.softmax(x)},
  {name: 'shares', shapes: [[5, 7]], positive: true, hasNoGradient: true, run: (kit, [x]) => kit.shares(x)},
];
