import {describe, expect, test} from 'vitest';
import {classifierOn, cutGraph, trainsLayer} from '../../../../../stages/lib/experiment/fine-tune-model.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import {checkWeights} from '../../../../../stages/lib/models/shapes.ts';
import {vggishGraph} from '../../../../../stages/lib/models/vggish.ts';

const extractor = initialWeights(vggishGraph({width: 1 / 32}), 3, {initialiser: 'he'});
const head = {hidden: 7, classes: 4, seed: 9};

describe('classifierOn', () => {
  test('keeps the weights it is given and draws a head', () => {
    const {graph, weights} = classifierOn(extractor, head);
    checkWeights(graph, weights);
    for (const [name, array] of extractor) expect(weights.get(name)).toBe(array);
    expect(weights.get('head/output/weights')?.shape).toEqual([7, 4]);
    expect(graph.outputs).toEqual(['head/softmax']);
  });

  test('draws another head for another seed, and leaves the head of a tuned model', () => {
    const first = classifierOn(extractor, head).weights;
    const other = classifierOn(extractor, {...head, seed: 10}).weights;
    const again = classifierOn(other, head).weights;
    expect(other.get('head/hidden/weights')).not.toEqual(first.get('head/hidden/weights'));
    expect(again).toEqual(first);
  });

  test('refuses weights that are no VGGish', () => {
    expect(() => classifierOn(new Map(), head)).toThrow('the weights have no tensor `vggish/conv1/weights`');
  });
});

describe('cutGraph', () => {
  const {graph} = classifierOn(extractor, head);

  test.each([
    ['dense', 'vggish/flat', 384],
    ['head', 'head/embedding', 128],
  ] as const)('with %s trained, the rest goes into the front', (trained, input, width) => {
    const cut = cutGraph(graph, (layer) => trainsLayer(trained, layer));
    expect(cut?.front.outputs).toEqual([input]);
    expect(cut?.back.inputs).toEqual([{name: input, shape: [width]}]);
    expect([...(cut?.front.layers ?? []), ...(cut?.back.layers ?? [])]).toEqual(graph.layers);
  });

  test('there is nothing to cut when all layers learn, or none', () => {
    expect(cutGraph(graph, () => true)).toBeUndefined();
    expect(cutGraph(graph, () => false)).toBeUndefined();
  });

  test('does not cut where two values would go over', () => {
    const [first, ...rest] = graph.layers;
    const twice = [{...rest.at(-2)!, name: 'again', inputs: ['vggish/flat']} as const];
    const forked = {...graph, layers: [first!, ...rest.slice(0, -1), ...twice, rest.at(-1)!]};
    expect(cutGraph(forked, (layer) => trainsLayer('head', layer))).toBeUndefined();
  });
});
