import type {PlanStatus} from '../core/plan.ts';
import type {GraphBox, GraphView} from './graph-view.ts';

export type GraphFormat = 'mermaid' | 'dot' | 'json';

export function graphText(view: GraphView, format: GraphFormat): string {
  switch (format) {
    case 'mermaid':
      return mermaid(view);
    case 'dot':
      return dot(view);
    case 'json':
      return json(view);
  }
}

// Fill and border of each status, readable on light and dark pages.
const colours: Readonly<Record<PlanStatus, {readonly fill: string; readonly line: string}>> = {
  'up-to-date': {fill: '#d9f2df', line: '#2f8f4e'},
  cached: {fill: '#dcebfa', line: '#2f6fb0'},
  'may-run': {fill: '#fdf1cf', line: '#b08a1e'},
  'will-run': {fill: '#fadcd6', line: '#b5472f'},
};

function mermaid({boxes, edges}: GraphView): string {
  const lines = ['flowchart LR'];
  const quote = (text: string): string =>
    `"${text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}"`;
  boxes.forEach((box, index) => {
    const label = quote(labelOf(box));
    lines.push(
      `  b${index}${box.kind === 'source' ? `[(${label})]` : `[${label}]`}${box.status ? `:::${className(box.status)}` : ''}`,
    );
  });
  for (const [from, to] of edges) lines.push(`  b${from} --> b${to}`);
  for (const status of statusesOf(boxes)) {
    const {fill, line} = colours[status];
    lines.push(`  classDef ${className(status)} fill:${fill},stroke:${line},color:#222`);
  }
  return `${lines.join('\n')}\n`;
}

function dot({boxes, edges}: GraphView): string {
  const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const lines = [
    'digraph pipeline {',
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];',
  ];
  boxes.forEach((box, index) => {
    const attributes = [`label=${quote(labelOf(box))}`];
    if (box.kind === 'source') attributes.push('shape=cylinder', 'style=filled');
    if (box.status) attributes.push(`fillcolor="${colours[box.status].fill}"`, `color="${colours[box.status].line}"`);
    lines.push(`  b${index} [${attributes.join(', ')}];`);
  });
  for (const [from, to] of edges) lines.push(`  b${from} -> b${to};`);
  return `${lines.join('\n')}\n}\n`;
}

/** `{nodes: [{id, stage, variant?, count, sliced, status?}], sources: [{id}], edges: [{from, to}]}`; edges name ids. */
function json({boxes, edges}: GraphView): string {
  const endOf = (index: number): string => {
    const box = boxes[index]!;
    return box.kind === 'source' ? `source:${box.id}` : box.id;
  };
  const value = {
    nodes: boxes
      .filter((box) => box.kind === 'node')
      .map(({id, stage, variant, count, sliced, status}) => ({id, stage, variant, count, sliced, status})),
    sources: boxes.filter((box) => box.kind === 'source').map(({id}) => ({id: `source:${id}`})),
    edges: edges.map(([from, to]) => ({from: endOf(from), to: endOf(to)})),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Mermaid is not sure about dashes in class names. */
function className(status: PlanStatus): string {
  return status.replaceAll('-', '');
}

function labelOf(box: GraphBox): string {
  const many = box.count > 1 ? ` ×${box.count}` : '';
  const slices = box.sliced ? ' (each)' : '';
  return `${box.id}${many}${slices}`;
}

function statusesOf(boxes: readonly GraphBox[]): readonly PlanStatus[] {
  const all: readonly PlanStatus[] = ['up-to-date', 'cached', 'may-run', 'will-run'];
  return all.filter((status) => boxes.some((box) => box.status === status));
}
