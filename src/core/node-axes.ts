import type {NodeId} from './pipeline.ts';
import {parseReference} from './reference.ts';

/** A node id taken apart: what a record says of a variant when its pipeline is not at hand. */
export interface NodeAxes {
  readonly name: string;
  /** Axis to value, as `scalarText` writes it, in declaration order. */
  readonly axes: ReadonlyMap<string, string>;
}

/** Takes the text that `nodeId` made apart; any other text is a name without axes. */
export function nodeAxes(id: NodeId): NodeAxes {
  const parsed = parseReference(id);
  if (!parsed.ok) return {name: id, axes: new Map()};
  const {name, selector} = parsed.value;
  if (selector === undefined || selector.all) return {name, axes: new Map()};
  return {name, axes: new Map(selector.axes.map(({axis, choices}) => [axis, choices?.[0]?.text ?? '*']))};
}
