import type {Tolerance} from './compare.ts';
import type {ExecutorName, SlurmProfile} from './executor.ts';
import type {SourceRange} from './failure.ts';
import type {HeldOut} from './held-out.ts';
import type {JsonObject, Scalar} from './json.ts';
import type {Resources} from './resources.ts';
import type {InputPort, OutputPort, StageDeclaration} from './stage.ts';
import type {EngineName} from './tensor-engine.ts';

/** `train[fold=2,levels=h1+h3]`: the node's name and its variant, axes in declaration order. */
export type NodeId = string;

export type ArtifactRef =
  | {readonly from: 'source'; readonly source: string}
  | {readonly from: 'node'; readonly node: NodeId; readonly output: string};

export type InputBinding =
  {readonly many: false; readonly ref: ArtifactRef} | {readonly many: true; readonly refs: readonly ArtifactRef[]};

/** One collection of an `each` node and the port that receives one item of it at a time. */
export interface EachCollection {
  readonly port: string;
  readonly collection: ArtifactRef;
}

/** A file or folder that exists before the build. */
export interface Source {
  readonly name: string;
  /** As written, resolved against the project folder; may be absolute. */
  readonly path: string;
  /** Glob patterns relative to `path`; empty means everything that is not hidden. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly range?: SourceRange;
}

/** How a `command` node starts. Placeholders are already replaced; the working directory is the node's work folder. */
export type CommandSpec =
  | {
      readonly form: 'argv';
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly passEnv: readonly string[];
      readonly scratch: readonly string[];
    }
  | {
      readonly form: 'shell';
      readonly shell: readonly string[];
      readonly script: string;
      readonly env: Readonly<Record<string, string>>;
      readonly passEnv: readonly string[];
      readonly scratch: readonly string[];
    };

/** One use of a stage with its variant: everything resolved, nothing left to look up but artifacts. */
export interface PipelineNode {
  readonly id: NodeId;
  readonly name: string;
  readonly variant: Readonly<Record<string, Scalar>>;
  readonly stage: string;
  readonly params: JsonObject;
  /** Zero unless the stage is seeded. For slices, mixed with the item's key. */
  readonly seed: number;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  /** Kind of each input: as the stage declares it; for a command, as its bindings imply. Includes the ports of `each`. */
  readonly ports: Readonly<Record<string, InputPort>>;
  /** What to slice: the first collection leads, the others are joined to its items by their keys. */
  readonly each?: readonly [EachCollection, ...EachCollection[]];
  readonly outputs: Readonly<Record<string, OutputPort>>;
  /** How its metrics are compared with pinned ones; they must be equal when absent. Never in the key. */
  readonly compareMetrics?: Tolerance | 'none';
  readonly command?: CommandSpec;
  /** Its side of a cross-validation, if it says so. Like `acceptLeak` about the graph, and never in the key. */
  readonly heldOut?: HeldOut;
  /** Why nodes may read it although it has learned from what they hold out. */
  readonly acceptLeak?: string;
  readonly resources: Resources;
  /** Where it is to run; this machine when absent. */
  readonly executor?: ExecutorName;
  /** Tensor engine that it is to compute with; the best one that works when absent. */
  readonly engine?: EngineName;
  readonly timeoutMs?: number;
  readonly retries: number;
  readonly salt: string;
  readonly range?: SourceRange;
}

/** A whole pipeline.yaml, expanded and checked. Nodes stand in declaration order, then matrix order. */
export interface Pipeline {
  /** Absolute project folder. */
  readonly root: string;
  readonly file: string;
  readonly seed: number;
  readonly nodes: readonly PipelineNode[];
  readonly sources: Readonly<Record<string, Source>>;
  readonly stages: Readonly<Record<string, StageDeclaration>>;
  /** Axis values of each node name, for selectors and tables. */
  readonly axes: Readonly<Record<string, Readonly<Record<string, readonly Scalar[]>>>>;
  /** Group name to node ids. `default` always exists. */
  readonly targets: Readonly<Record<string, readonly NodeId[]>>;
  /** Texts that show results: patterns of paths below the project folder. They are no part of any key. */
  readonly documents?: readonly DocumentPattern[];
  /** How to use the site's Slurm, when it says anything of it. */
  readonly slurm?: SlurmProfile;
}

export interface DocumentPattern {
  readonly pattern: string;
  readonly range?: SourceRange;
}

/** The text of a node id. Values print as in YAML; a value with `,`, `]`, `=` or `|` is JSON-quoted. */
export function nodeId(name: string, variant: Readonly<Record<string, Scalar>>): NodeId {
  const axes = Object.entries(variant);
  if (axes.length === 0) return name;
  return `${name}[${axes.map(([axis, value]) => `${axis}=${scalarText(value)}`).join(',')}]`;
}

export function scalarText(value: Scalar): string {
  const text = String(value);
  return typeof value === 'string' && (/[,\]=["\s*|]/.test(text) || text === '') ? JSON.stringify(value) : text;
}

/** Producers of a node, in port order, each once. */
export function refsOf(node: PipelineNode): readonly ArtifactRef[] {
  const refs: ArtifactRef[] = [];
  for (const binding of Object.values(node.inputs)) {
    // One push each: a fan-in may be longer than an argument list can be.
    if (binding.many) for (const ref of binding.refs) refs.push(ref);
    else refs.push(binding.ref);
  }
  for (const {collection} of node.each ?? []) refs.push(collection);
  return refs;
}

/** What each port of a node reads, those of `each` last. */
export function refsByPort({inputs, each}: PipelineNode): readonly (readonly [string, readonly ArtifactRef[]])[] {
  return [
    ...Object.entries(inputs).map(([port, binding]) => [port, binding.many ? binding.refs : [binding.ref]] as const),
    ...(each ?? []).map(({port, collection}) => [port, [collection]] as const),
  ];
}
