import type {Failure} from '../core/failure.ts';
import type {Json} from '../core/json.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Outcome} from '../core/plan.ts';

/** Everything that the page of a run shows. It travels as JSON inside the page. */
export interface PageData {
  readonly type: 'page/1';
  /** Name of the project's folder. */
  readonly project: string;
  readonly run: PageRun;
  /** In topological order. */
  readonly nodes: readonly PageNode[];
  /** Nodes of one name, in topological order: the graph with its matrices collapsed. */
  readonly groups: readonly PageGroup[];
  readonly sources: readonly PageSource[];
  /** Stages with the files that their code is. */
  readonly stages: readonly PageStage[];
  /** What the targets made, and what other nodes say is worth showing; those of targets first, but raw texts last. */
  readonly results: readonly PageResult[];
  readonly timeline: PageTimeline;
  /** Metrics that differ from an earlier run; absent when there is none to compare with. */
  readonly changes?: PageChanges;
}

export interface PageRun {
  readonly id: string;
  readonly command: string;
  readonly outcome: 'running' | 'done' | 'failed' | 'interrupted';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly wallMs?: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly targets: readonly NodeId[];
  readonly seed: number;
  readonly jobs: number;
  readonly host: string;
  /** Name to text: versions, engines, processor, system; in the order to show. */
  readonly environment: readonly (readonly [name: string, text: string])[];
  /** Wall time of the work whose results were taken from the cache or were up to date, as recorded when it was done. */
  readonly savedMs: number;
}

export interface PageNode {
  readonly id: NodeId;
  readonly name: string;
  readonly axes: Readonly<Record<string, string>>;
  readonly stage: string;
  readonly outcome: Outcome;
  /** Why it ran, a line each, as `mixdown explain` words it. */
  readonly reasons: readonly string[];
  /** Of the work that made its result, in this run or an earlier one. */
  readonly wallMs?: number;
  readonly device?: string;
  readonly engine?: string;
  /** Who made its result and how that got here, when it was not made here. */
  readonly origin?: string;
  readonly slices?: {
    readonly total: number;
    readonly executed: number;
    readonly cached: number;
    readonly failed: number;
  };
  /** Without the values of environment variables, and empty in a very large run. */
  readonly params: Json;
  readonly metrics: Readonly<Record<string, number>>;
  readonly inputs: readonly PageInput[];
  /** Inputs that are left out, of a node with very many. */
  readonly moreInputs?: number;
  readonly outputs: readonly PageOutput[];
  readonly fingerprint?: string;
  readonly failure?: Pick<Failure, 'code' | 'message' | 'hint'>;
  /** The last lines that it printed. */
  readonly log?: string;
}

export type PageInput = {readonly port: string} & (
  | {readonly from: 'node'; readonly node: NodeId; readonly output: string}
  | {readonly from: 'source'; readonly source: string}
);

export interface PageOutput {
  readonly output: string;
  readonly file: string;
  readonly bytes: number;
  /** Of a tree. */
  readonly files?: number;
  /** SHA-256; its first digits in a very large run. */
  readonly hash: string;
}

export interface PageGroup {
  readonly name: string;
  readonly stage: string;
  readonly nodes: readonly NodeId[];
  /** Axis to its values, in order. */
  readonly axes: Readonly<Record<string, readonly string[]>>;
  /** Names of the groups and, as `source:name`, of the sources that it reads. */
  readonly reads: readonly string[];
}

export interface PageSource {
  readonly name: string;
  readonly path: string;
  readonly bytes?: number;
  readonly files?: number;
  readonly hash?: string;
}

export interface PageStage {
  readonly name: string;
  readonly summary: string;
  readonly code: string;
  readonly files: readonly {readonly path: string; readonly hash: string}[];
  readonly packages: Readonly<Record<string, string>>;
}

export type PageResult = {
  readonly node: NodeId;
  readonly output: string;
  readonly file: string;
  readonly title: string;
} & (
  | {readonly kind: 'markdown'; readonly text: string}
  | {
      readonly kind: 'table';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly more: number;
    }
  /** An image as a data URL. */
  | {readonly kind: 'image'; readonly src: string; readonly alt: string}
  /** Lines over one column of a table, such as losses over epochs; a number that is missing is null. */
  | {readonly kind: 'curve'; readonly x: PageColumn; readonly lines: readonly PageColumn[]}
  /** Counts: rows are the true classes. */
  | {readonly kind: 'confusion'; readonly classes: readonly string[]; readonly counts: readonly (readonly number[])[]}
  /** One number a name, such as average precision by class. */
  | {
      readonly kind: 'bars';
      readonly unit: string;
      readonly bars: readonly {readonly name: string; readonly value: number}[];
    }
  | {readonly kind: 'text'; readonly text: string; readonly more: number}
);

export interface PageColumn {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface PageTimeline {
  readonly endMs: number;
  /** One for each place of work: a device, or a number of cores' worth of lanes. */
  readonly lanes: readonly {readonly name: string; readonly spans: readonly PageSpan[]}[];
  /** The chain of work that decided when the run ended, first to last. */
  readonly criticalPath: readonly NodeId[];
}

export interface PageSpan {
  readonly node: NodeId;
  /** How many slices ran in it, when it is slices. */
  readonly slices?: number;
  /** Milliseconds since the run's start. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly outcome: Outcome;
}

export interface PageChanges {
  /** Id of the earlier run, or `mixdown.lock`. */
  readonly since: string;
  readonly metrics: readonly {
    readonly node: NodeId;
    readonly metric: string;
    readonly before: number | null;
    readonly after: number | null;
  }[];
  readonly added: readonly NodeId[];
  readonly removed: readonly NodeId[];
}
