import type {ActionResult, SliceManifest} from '../../core/action.ts';
import {isSha256, type Sha256} from '../../core/digest.ts';
import type {Event} from '../../core/events.ts';
import type {NodeId, PipelineNode} from '../../core/pipeline.ts';
import {parseSlices} from '../../core/slice-manifest.ts';
import type {StageDeclaration} from '../../core/stage.ts';
import type {Artifact, Tree} from '../../core/tree.ts';
import type {RunRecord, RunRecordNode} from '../../report/run-record.ts';
import type {CasAdmin} from '../../store/blob-admin.ts';
import type {RunFolder, RunStore} from '../../store/run-store.ts';
import type {Store} from '../../store/store.ts';
import {parseSafeTree} from '../../store/validate.ts';
import type {Loaded} from '../load.ts';
import {recordedEvents} from '../records.ts';
import {nodesOf} from '../run-choice.ts';

/** One run with everything on record that belongs to it. Looks only; what is gone is undefined. */
export interface PageBooks {
  readonly record: RunRecord;
  readonly folder: RunFolder;
  readonly events: readonly Event[];
  /** Of the plan, in topological order; those of a record whose plan is lost as they ended. */
  readonly ids: readonly NodeId[];
  readonly ended: ReadonlyMap<NodeId, RunRecordNode>;
  readonly planned: ReadonlyMap<NodeId, PlannedEntry>;
  /** The node as the pipeline has it now. */
  readonly nodeOf: (id: NodeId) => PipelineNode | undefined;
  readonly stageOf: (name: string) => StageDeclaration | undefined;
  readonly stages: readonly StageDeclaration[];
  readonly loaded: Loaded | undefined;
  readonly resultOf: (id: NodeId) => ActionResult | undefined;
  readonly slicesOf: (result: ActionResult) => SliceManifest | undefined;
  readonly treeOf: (artifact: Artifact) => Tree | undefined;
  /** Its reads are remembered: the same code and trees are asked for again and again. */
  readonly blobs: CasAdmin;
}

export type PlannedEntry = Extract<Event, {type: 'run-planned'}>['nodes'][number];

/** Blobs of at most this size are remembered. */
const mostRemembered = 1 << 20;

export function openPageBooks(
  record: RunRecord,
  runs: RunStore,
  {actions, blobs}: Pick<Store, 'actions' | 'blobs'>,
  loaded: Loaded | undefined,
): PageBooks | undefined {
  const folder = runs.open(record.id);
  if (folder === undefined) return undefined;
  const events = recordedEvents(runs, record.id);
  const ended = new Map(Object.entries(nodesOf(runs, record)));
  const plan = events.find((event) => event.type === 'run-planned')?.nodes ?? [];
  const planned = new Map(plan.map((entry) => [entry.node, entry]));
  const remembering = rememberPeeks(blobs);
  const text = (hash: Sha256): string => remembering.peek(hash)?.toString('utf8') ?? '';
  const results = new Map<NodeId, ActionResult | undefined>();
  return {
    record,
    folder,
    events,
    ids: [...new Set([...planned.keys(), ...ended.keys()])],
    ended,
    planned,
    nodeOf: (id) => loaded?.graph.nodes[loaded.graph.indexOf.get(id) ?? -1],
    stageOf: (name) =>
      loaded && Object.hasOwn(loaded.pipeline.stages, name) ? loaded.pipeline.stages[name] : undefined,
    stages: Object.values(loaded?.pipeline.stages ?? {}),
    loaded,
    resultOf(id) {
      if (!results.has(id)) {
        const fingerprint = ended.get(id)?.fingerprint;
        const known = fingerprint !== undefined && isSha256(fingerprint) ? actions.peek(fingerprint) : undefined;
        results.set(id, known);
      }
      return results.get(id);
    },
    slicesOf: ({slices}) => slices && parseSlices(blobs.peek(slices.hash)?.toString('utf8') ?? ''),
    treeOf: ({digest}) => parseSafeTree(text(digest.hash)),
    blobs: remembering,
  };
}

function rememberPeeks(blobs: CasAdmin): CasAdmin {
  const known = new Map<Sha256, Buffer | undefined>();
  return {
    ...blobs,
    peek(hash) {
      if (known.has(hash)) return known.get(hash);
      const found = blobs.peek(hash);
      if (found === undefined || found.byteLength <= mostRemembered) known.set(hash, found);
      return found;
    },
  };
}
