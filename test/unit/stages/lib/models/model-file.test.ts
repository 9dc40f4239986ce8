import {readFileSync, writeFileSync} from 'node:fs';
import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {readSafeTensors, writeSafeTensors} from '../../../../../stages/lib/formats/safetensors.ts';
import {attentionGraph} from '../../../../../stages/lib/models/attention.ts';
import {graphFromJson} from '../../../../../stages/lib/models/graph-json.ts';
import type {ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import {readModel, writeModel, type ModelFile} from '../../../../../stages/lib/models/model-file.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {vggishGraph, withHead} from '../../../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../../../stages/lib/models/yamnet.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const config = {
  features: 4,
  classes: 3,
  units: 5,
  dropout: 0.1,
  headBatchNorm: true,
  momentum: 0.9,
  labels: 'single',
} as const;
const graph = attentionGraph({...config, levels: [1], finalDense: true, attentionNorm: 'time-softmax'});
const model: ModelFile = {
  graph,
  weights: initialWeights(graph, 1),
  classes: ['dog', 'cat "quoted"', 'ü'],
  about: {model: 'attention', units: '5'},
};

function written(file: ModelFile = model): string {
  const path = `${temporaryFolder()}/model.safetensors`;
  writeModel(path, file);
  return path;
}

/** The file again with other metadata. */
function rewritten(change: (metadata: Record<string, string>) => void): string {
  const path = written();
  const {tensors, metadata} = readSafeTensors(path);
  const changed = {...metadata};
  change(changed);
  writeSafeTensors(path, tensors, changed);
  return path;
}

describe('a model file', () => {
  test('gives back the model', () => {
    const read = readModel(written());
    expect(read).toEqual({...model, weights: new Map([...model.weights].sort(([a], [b]) => (a < b ? -1 : 1)))});
  });

  test('of equal models has equal bytes, whatever the order of the weights; others are left out', () => {
    const weights = new Map([...model.weights].toReversed()).set('more', {shape: [1], data: Float32Array.of(1)});
    expect(readFileSync(written({...model, weights})).equals(readFileSync(written()))).toBe(true);
  });

  test('is refused without its mark, its graph or its classes, and when weights are missing', () => {
    const path = written();
    writeSafeTensors(path, model.weights, {model: 'vggish'});
    expect(() => readModel(path, 'the input')).toThrow('the input is not a model: its format is not given');
    expect(() => readModel(rewritten((metadata) => (metadata['format'] = 'model/2')))).toThrow(
      '`model/2`, not `model/1`',
    );
    expect(() => readModel(rewritten((metadata) => (metadata['graph'] = '{"in')))).toThrow(
      'its graph is not an object',
    );
    expect(() => readModel(rewritten((metadata) => (metadata['classes'] = '[1,2,3]')))).toThrow('a list of names');
    const {metadata} = readSafeTensors(written());
    writeSafeTensors(path, new Map([...model.weights].slice(1)), metadata);
    expect(() => readModel(path)).toThrow('the weights have no tensor `features/norm/gamma`');
  });

  test('has as many classes as scores', () => {
    expect(() => written({...model, classes: ['one', 'two']})).toThrow('the model gives 3 scores for 2 classes');
    expect(() => readModel(rewritten((metadata) => (metadata['classes'] = '["a"]')))).toThrow('3 scores for 1 classes');
  });

  test('that is damaged gives an error, whichever byte changed or is missing', () => {
    const bytes = readFileSync(written());
    const path = `${temporaryFolder()}/damaged.safetensors`;
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    fc.assert(
      fc.property(fc.nat(headerEnd - 1), fc.integer({min: 1, max: 255}), (at, difference) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ difference;
        expectModelOrError(path, damaged);
      }),
      {numRuns: 300},
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => expectModelOrError(path, bytes.subarray(0, length))),
      {numRuns: 100},
    );
  });
});

/** A changed byte may fall into a name; what is read then is still whole. */
function expectModelOrError(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes);
  try {
    const read = readModel(path);
    expect(read.classes).toHaveLength(3);
  } catch (error) {
    expect(error).toBeInstanceOf(StageError);
  }
}

describe('a graph as JSON', () => {
  const graphs: readonly (readonly [string, ModelGraph])[] = [
    ['attention', graph],
    ['recurrent', recurrentGraph(config)],
    ['VGGish with a head', withHead(vggishGraph({width: 0.1}), {hidden: 4, classes: 3})],
    ['YAMNet', yamnetGraph()],
  ];

  test.each(graphs)('%s comes back', (_, original) => {
    expect(graphFromJson(JSON.parse(JSON.stringify(original)), 'the model')).toEqual(original);
  });

  test.each(graphs)('%s: any value changed gives another graph or an error that says where', (_, original) => {
    const paths: (readonly (string | number)[])[] = [];
    const collect = (value: unknown, path: readonly (string | number)[]): void => {
      paths.push(path);
      if (Array.isArray(value)) for (const [i, item] of value.entries()) collect(item, [...path, i]);
      else if (typeof value === 'object' && value !== null) {
        for (const [key, item] of Object.entries(value)) collect(item, [...path, key]);
      }
    };
    collect(original, []);
    const other = fc.oneof(fc.jsonValue(), fc.constantFrom('sum', 'dense', 'lstm', 'features', 0, 1, null, [], {}));
    fc.assert(
      fc.property(fc.constantFrom(...paths), other, (path, value) => {
        const changed = replaced(original, path, value);
        try {
          graphFromJson(changed, 'the file');
        } catch (error) {
          expect(error).toBeInstanceOf(StageError);
        }
      }),
      {numRuns: 300},
    );
  });

  test('names the layer that is of no known kind or lacks a setting', () => {
    const [first, ...layers] = graph.layers;
    const read = (layer: object) => graphFromJson({...graph, layers: [layer, ...layers]}, 'the file');
    expect(() => read({...first, op: 'fly'})).toThrow('layer `features/norm` is of no known kind');
    expect(() => read({...first, epsilon: '1'})).toThrow(
      'layer `features/norm` is of no known kind or lacks a setting',
    );
    expect(() => read({op: 'relu'})).toThrow('layer 1 lacks its name or inputs');
    expect(() => graphFromJson({...graph, inputs: [{}]}, 'the file')).toThrow('an input lacks its name or shape');
    expect(() => graphFromJson([], 'the file')).toThrow('the file does not hold a model: its graph is not an object');
  });
});

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) return value.map((item, i): unknown => (i === key ? replaced(item, rest, other) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, item]) => [name, name === key ? replaced(item, rest, other) : item]),
  );
}
