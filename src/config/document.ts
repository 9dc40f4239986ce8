import type {OutputCompare} from '../core/compare.ts';
import type {SlurmTransport} from '../core/executor.ts';
import type {Json, JsonObject, Scalar} from '../core/json.ts';
import type {OutputPort} from '../core/stage.ts';

/** The shape of pipeline.yaml as schemas/pipeline.schema.json describes it, before references are replaced. */
export interface PipelineDocument {
  readonly version: 1;
  readonly seed?: number;
  readonly salt?: string;
  readonly vars?: JsonObject;
  readonly profiles?: Readonly<Record<string, ProfileSection>>;
  readonly sources?: Readonly<Record<string, SourceSection>>;
  readonly nodes: Readonly<Record<string, NodeSection>>;
  readonly executors?: ExecutorsSection;
  readonly targets?: Readonly<Record<string, readonly string[]>>;
  readonly documents?: string | readonly string[];
  readonly cache?: {readonly remote?: JsonObject};
}

export interface SlurmSection {
  readonly partition?: string;
  readonly account?: string;
  readonly time?: string | number;
  readonly extra?: readonly string[];
  readonly maxSubmitted?: number;
  readonly batches?: number;
  readonly poll?: string | number;
  readonly node?: string;
  readonly transport?: SlurmTransport;
  readonly mixdown?: string;
}

export interface ProfileSection {
  readonly vars?: JsonObject;
  readonly sources?: Readonly<Record<string, SourceSection>>;
  readonly executors?: ExecutorsSection;
  readonly seed?: number;
}

interface ExecutorsSection {
  readonly slurm?: SlurmSection;
}

export type SourceSection =
  | string
  | {
      readonly path: string;
      readonly include?: string | readonly string[];
      readonly exclude?: string | readonly string[];
    };

export interface ResourcesSection {
  readonly cpu?: number | string;
  readonly memoryMiB?: number | string;
  readonly gpu?: number | string;
  readonly gpuMemoryMiB?: number | string;
  readonly whenNoGpu?: string;
}

/** Keys that stage nodes and command nodes share. */
interface NodeBase {
  readonly each?: string | Readonly<Record<string, string>>;
  readonly matrix?: MatrixSection;
  readonly inputs?: Readonly<Record<string, string | readonly string[] | null>>;
  /** The values, or one reference to a mapping of them. */
  readonly params?: JsonObject | string;
  readonly seed?: number | string;
  readonly heldOut?: number | string | null;
  readonly acceptLeak?: string;
  readonly resources?: ResourcesSection;
  readonly timeout?: number | string;
  readonly retries?: number | string;
  readonly executor?: string;
  readonly salt?: string;
}

export interface StageNodeSection extends NodeBase {
  readonly stage: string;
  readonly engine?: string;
  readonly compare?: Readonly<Record<string, OutputCompare>>;
}

export interface CommandNodeSection extends NodeBase {
  readonly command?: readonly Scalar[];
  readonly shell?: string | readonly string[];
  readonly script?: string;
  readonly outputs: Readonly<Record<string, string | CommandOutputSection>>;
  readonly env?: Readonly<Record<string, Scalar>>;
  readonly passEnv?: readonly string[];
  readonly scratch?: readonly string[];
}

export interface CommandOutputSection {
  readonly path: string;
  readonly kind?: 'file' | 'tree';
  readonly display?: boolean;
  readonly show?: NonNullable<OutputPort['show']>;
  readonly optional?: boolean;
  readonly compare?: OutputCompare;
}

export type NodeSection = StageNodeSection | CommandNodeSection;

/** Axes by name beside the reserved keys `include`, `exclude` and `when`. */
export type MatrixSection = Readonly<Record<string, Json>>;

/** 1-based line and column of a key and its end: `[line, column, endLine, endColumn]`. */
export type Span = readonly [number, number, number, number];

/** A checked document with what is needed of its positions when nothing is wrong. */
export interface LoadedDocument {
  readonly document: PipelineDocument;
  readonly nodeSpans: Readonly<Record<string, Span>>;
  readonly sourceSpans: Readonly<Record<string, Span>>;
  readonly documentSpans?: readonly Span[];
  /** Nodes whose shape is wrong, in a document that is only read on to find more mistakes. */
  readonly broken?: ReadonlySet<string>;
}

export function isCommand(node: NodeSection): node is CommandNodeSection {
  return !('stage' in node);
}
