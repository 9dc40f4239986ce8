import type {NodeId} from '../../core/pipeline.ts';
import type {PageNode, PageSource} from '../../report/page-data.ts';
import type {PageIndex} from './page-index.ts';

/** What an output was made from. */
export interface Provenance {
  readonly node: PageNode;
  readonly output: string;
  /** Nodes that it needs and itself, in steps of one name, first to last. */
  readonly steps: readonly ProvenanceStep[];
  readonly sources: readonly PageSource[];
  /** Inputs that the page of a very large run does not have, and so does not follow. */
  readonly leftOut: number;
}

export interface ProvenanceStep {
  readonly name: string;
  readonly stage: string;
  readonly nodes: readonly PageNode[];
}

/** Names one output of one node, as the address and the choice do. */
export function outputKey(node: NodeId, output: string): string {
  return `${node}.${output}`;
}

/** Follows the inputs of an output down to the sources; undefined when the run has no such output. */
export function provenanceOf(index: PageIndex, key: string): Provenance | undefined {
  const found = findOutput(index, key);
  if (found === undefined) return undefined;
  const needed = new Set<PageNode>([found.node]);
  const sources = new Map<string, PageSource>();
  for (const node of needed) {
    for (const input of node.inputs) {
      if (input.from === 'source') {
        sources.set(input.source, index.sources.get(input.source) ?? {name: input.source, path: input.source});
      } else {
        const producer = index.nodes.get(input.node);
        if (producer !== undefined) needed.add(producer);
      }
    }
  }
  const inOrder = index.data.nodes.filter((node) => needed.has(node));
  const leftOut = inOrder.reduce((count, {moreInputs = 0}) => count + moreInputs, 0);
  return {...found, steps: stepsOf(inOrder), sources: [...sources.values()], leftOut};
}

/** The chain as text, to paste into a paper or a ticket. */
export function provenanceText(index: PageIndex, {node, output, steps, sources}: Provenance): string {
  const made = node.outputs.find((candidate) => candidate.output === output);
  const stages = new Set(steps.map(({stage}) => stage));
  return [
    `${outputKey(node.id, output)} ${made?.file ?? ''} ${made?.hash ?? ''}`,
    '',
    'Sources',
    ...sources.map(({name, path, hash}) => `  ${name} ${path} ${hash ?? ''}`),
    '',
    'Nodes',
    ...steps.flatMap(({nodes}) =>
      nodes.flatMap(({id, stage, outputs}) => [
        `  ${id} (${stage})`,
        ...outputs.map(({output: name, hash}) => `    ${name} ${hash}`),
      ]),
    ),
    '',
    'Code',
    ...[...stages].flatMap((name) => {
      const stage = index.stages.get(name);
      return stage === undefined
        ? []
        : [`  ${name} ${stage.code}`, ...stage.files.map(({path, hash}) => `    ${path} ${hash}`)];
    }),
    '',
  ].join('\n');
}

function findOutput({nodes}: PageIndex, key: string): Pick<Provenance, 'node' | 'output'> | undefined {
  const dot = key.lastIndexOf('.');
  const node = nodes.get(key.slice(0, dot));
  const output = key.slice(dot + 1);
  return node?.outputs.some((candidate) => candidate.output === output) === true ? {node, output} : undefined;
}

function stepsOf(nodes: readonly PageNode[]): readonly ProvenanceStep[] {
  const steps = new Map<string, PageNode[]>();
  for (const node of nodes) {
    const step = steps.get(node.name);
    if (step === undefined) steps.set(node.name, [node]);
    else step.push(node);
  }
  return [...steps].map(([name, members]) => ({name, stage: members[0]?.stage ?? '', nodes: members}));
}
