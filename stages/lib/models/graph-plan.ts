import type {Layer, ModelGraph} from './graph.ts';

/** What it takes to compute some values of a graph. */
export interface GraphPlan {
  /** Names of the values asked for: layers, or inputs. */
  readonly wanted: readonly string[];
  /** The layers on the way to them, in order. */
  readonly layers: readonly Layer[];
  /** By name of a layer: values that nobody needs after it. */
  readonly lastUses: ReadonlyMap<string, readonly string[]>;
  /** By name of a convolution or dense layer: the activation after it, where it is the only one to use its value. */
  readonly activations: ReadonlyMap<string, 'relu' | 'relu6'>;
}

export function planGraph(graph: ModelGraph, wanted: readonly string[]): GraphPlan {
  const needed = new Set(wanted);
  for (const layer of graph.layers.toReversed()) {
    if (needed.has(layer.name)) for (const name of layer.inputs) needed.add(name);
  }
  const layers = graph.layers.filter(({name}) => needed.has(name));
  const users = new Map<string, Layer[]>();
  for (const layer of layers) {
    for (const name of new Set(layer.inputs)) users.set(name, [...(users.get(name) ?? []), layer]);
  }
  const lastUses = new Map<string, string[]>();
  for (const {name} of layers) {
    const last = users.get(name)?.at(-1);
    if (last === undefined || wanted.includes(name)) continue;
    lastUses.set(last.name, [...(lastUses.get(last.name) ?? []), name]);
  }
  return {wanted, layers, lastUses, activations: activationsOf(layers, users, wanted)};
}

function activationsOf(
  layers: readonly Layer[],
  users: ReadonlyMap<string, readonly Layer[]>,
  wanted: readonly string[],
): GraphPlan['activations'] {
  const activations = new Map<string, 'relu' | 'relu6'>();
  for (const {name, op} of layers) {
    if (op !== 'convolution' && op !== 'depthwise-convolution' && op !== 'dense') continue;
    const [user, ...others] = users.get(name) ?? [];
    if (others.length > 0 || wanted.includes(name)) continue;
    if (user?.op === 'relu' || user?.op === 'relu6') activations.set(name, user.op);
  }
  return activations;
}
