import {Graph, layout} from '@dagrejs/dagre';
import type {PageGroup} from '../../report/page-data.ts';

/** Places of the graph's boxes and the lines between them, in CSS pixels from the top left. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly GraphBox[];
  readonly lines: readonly GraphLine[];
}

export interface GraphBox {
  /** Name of a group, or `source:NAME`. */
  readonly key: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface GraphLine {
  readonly from: string;
  readonly to: string;
  /** Of an SVG path. */
  readonly path: string;
}

/**
 * Lays groups and the sources that they read out in ranks from top to bottom.
 * @param badges - of each group, how many outcomes its box has to show
 */
export function layOutGraph(groups: readonly PageGroup[], badges: (group: PageGroup) => number): GraphLayout {
  const graph = new Graph();
  graph.setGraph({rankdir: 'TB', nodesep: 24, ranksep: 34, marginx: 16, marginy: 16});
  graph.setDefaultEdgeLabel(() => ({}));
  const sources = new Set(groups.flatMap(({reads}) => reads.filter(isSource)));
  for (const key of sources) graph.setNode(key, {width: widthFor(key.length - 'source:'.length, 0), height: 44});
  for (const group of groups)
    graph.setNode(group.name, {width: widthFor(labelLength(group), badges(group)), height: 60});
  for (const {name, reads} of groups) for (const read of reads) if (graph.hasNode(read)) graph.setEdge(read, name);
  layout(graph);
  const {width = 0, height = 0} = graph.graph() as {width?: number; height?: number};
  return {
    width: Math.max(0, width),
    height: Math.max(0, height),
    boxes: graph.nodes().map((key: string) => {
      const box = graph.node(key) as Placed;
      return {key, left: box.x - box.width / 2, top: box.y - box.height / 2, width: box.width, height: box.height};
    }),
    lines: graph.edges().map((edge: {readonly v: string; readonly w: string}) => {
      const {points} = graph.edge(edge) as {points: readonly Point[]};
      return {from: edge.v, to: edge.w, path: curveThrough(points)};
    }),
  };
}

/** Whether a box stands for a source. */
export function isSource(key: string): boolean {
  return key.startsWith('source:');
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Placed extends Point {
  readonly width: number;
  readonly height: number;
}

/** Characters of a name and, when there are several, the number of its nodes: `train ×35`. */
function labelLength({name, nodes}: PageGroup): number {
  return nodes.length > 1 ? name.length + 2 + String(nodes.length).length : name.length;
}

function widthFor(characters: number, badges: number): number {
  return Math.min(320, Math.max(136, 44 + characters * 9, 24 + badges * 52));
}

/** A smooth line through dagre's bends: straight to the middle between two bends, bent at each of them. */
function curveThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${at(first)}`];
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    if (next === undefined) parts.push(`L${at(point)}`);
    else parts.push(`Q${at(point)} ${at({x: (point.x + next.x) / 2, y: (point.y + next.y) / 2})}`);
  });
  return parts.join('');
}

function at({x, y}: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
