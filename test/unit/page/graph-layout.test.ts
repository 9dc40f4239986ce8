import {expect, it} from 'vitest';
import {layOutGraph} from '../../../src/page/model/graph-layout.ts';
import {pageData} from '../../support/page-data.ts';

const one = (): number => 1;

it('places every name and source once, inside the drawing, none over another', () => {
  const {boxes, width, height} = layOutGraph(pageData().groups, one);
  expect(boxes.map(({key}) => key).toSorted()).toEqual(
    ['features', 'figure', 'source:clips', 'source:labels', 'tables', 'train'].toSorted(),
  );
  for (const box of boxes) {
    expect(box.left).toBeGreaterThanOrEqual(0);
    expect(box.left + box.width).toBeLessThanOrEqual(width);
    expect(box.top + box.height).toBeLessThanOrEqual(height);
    for (const other of boxes) {
      const apart =
        box.left + box.width <= other.left ||
        other.left + other.width <= box.left ||
        box.top + box.height <= other.top ||
        other.top + other.height <= box.top;
      expect(box === other || apart).toBe(true);
    }
  }
});

it('draws a line from each that is read down to its reader', () => {
  const {boxes, lines} = layOutGraph(pageData().groups, one);
  const top = new Map(boxes.map(({key, top: y}) => [key, y]));
  expect(lines.map(({from, to}) => `${from} ${to}`).toSorted()).toEqual(
    ['features train', 'source:clips features', 'source:labels train', 'tables figure', 'train tables'].toSorted(),
  );
  for (const {from, to, path} of lines) {
    expect(top.get(from)).toBeLessThan(top.get(to) ?? 0);
    expect(path).toMatch(/^M[\d.]+ [\d.]+(?:[LQ][\d. ]+)+$/);
  }
});

it('leaves out a line from a name that is not there, and draws nothing of nothing', () => {
  const group = {name: 'a', stage: 's', nodes: [], axes: {}, reads: ['gone']};
  expect(layOutGraph([group], one).lines).toEqual([]);
  expect(layOutGraph([], one)).toEqual({width: expect.any(Number), height: expect.any(Number), boxes: [], lines: []});
});

it('gives a box the room that its outcomes need', () => {
  const group = {name: 'a', stage: 's', nodes: [], axes: {}, reads: []};
  const [few] = layOutGraph([group], one).boxes;
  const [many] = layOutGraph([group], () => 5).boxes;
  expect(many?.width).toBeGreaterThan(few?.width ?? 0);
});
