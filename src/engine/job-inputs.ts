import type {Digest} from '../core/digest.ts';
import type {ArtifactRef, PipelineNode} from '../core/pipeline.ts';
import type {JobInput} from '../core/ports.ts';
import {itemKey} from '../core/slice.ts';
import {treeText, type TreeEntry} from '../core/tree.ts';
import type {RunContext} from './run-context.ts';

/** Inputs of a job with what has to be looked at again after it ran. */
export interface JobInputs {
  readonly inputs: Readonly<Record<string, JobInput>>;
  /** Absolute paths of source files that the job may read. */
  readonly sourcePaths: readonly string[];
  /** Blobs that the job may read. */
  readonly blobs: readonly Digest[];
}

/** Where each input of a node lies, the sliced ports left out. All artifacts must be known. */
export async function jobInputs(node: PipelineNode, context: RunContext): Promise<JobInputs> {
  const inputs: Record<string, JobInput> = {};
  const sourcePaths: string[] = [];
  const blobs: Digest[] = [];
  const locate = async (ref: ArtifactRef): Promise<JobInput> => {
    const found = await locateArtifact(ref, context);
    sourcePaths.push(...found.sourcePaths);
    blobs.push(...found.blobs);
    return found.input;
  };
  for (const [port, binding] of Object.entries(node.inputs)) {
    if (binding.many) {
      const items: JobInput[] = [];
      for (const ref of binding.refs) items.push({...(await locate(ref)), ...nameOf(ref, context)});
      inputs[port] = {kind: 'many', items};
    } else {
      inputs[port] = await locate(binding.ref);
    }
  }
  return {inputs, sourcePaths, blobs};
}

/** Where one item of a collection lies. */
export function locateItem(
  collection: ArtifactRef,
  entry: Pick<TreeEntry, 'path' | 'digest'>,
  context: RunContext,
): JobInputs & {input: JobInput} {
  if (collection.from === 'source') {
    const path = `${context.artifacts.source(collection.source).path}/${entry.path}`;
    return {input: {kind: 'file', path, digest: entry.digest}, inputs: {}, sourcePaths: [path], blobs: []};
  }
  const path = context.request.ports.cas.pathOf(entry.digest);
  return {
    input: {kind: 'file', path, digest: entry.digest},
    inputs: {},
    sourcePaths: [],
    blobs: [entry.digest],
  };
}

/** Puts a canonical text (tree, code manifest) in the store, once per run. */
export async function storeText(text: string, hash: string, context: RunContext): Promise<void> {
  if (context.stored.has(hash)) return;
  await context.request.ports.cas.putBytes(text);
  context.stored.add(hash);
}

/** What a person would call the artifact; commands see it as part of a file name. */
function nameOf(ref: ArtifactRef, context: RunContext): {readonly name?: string} {
  if (ref.from === 'source') {
    const {path} = context.artifacts.source(ref.source);
    return {name: path.slice(path.lastIndexOf('/') + 1)};
  }
  const {graph} = context.request;
  const producer = graph.nodes[graph.indexOf.get(ref.node) ?? -1];
  const output = producer?.outputs[ref.output];
  if (output === undefined) return {};
  const name = output.name.slice(output.name.lastIndexOf('/') + 1);
  // The slices' files stand in a folder, which has no extension.
  return {name: producer?.each && output.kind === 'file' ? itemKey(name) : name};
}

interface Located {
  readonly input: JobInput;
  readonly sourcePaths: readonly string[];
  readonly blobs: readonly Digest[];
}

async function locateArtifact(ref: ArtifactRef, context: RunContext): Promise<Located> {
  const {cas} = context.request.ports;
  const artifact = context.artifacts.of(ref);
  if (!artifact) throw new Error('locateArtifact: the artifact is not known yet');
  if (ref.from === 'node') {
    const path = cas.pathOf(artifact.digest);
    return artifact.kind === 'file'
      ? {input: {kind: 'file', path, digest: artifact.digest}, sourcePaths: [], blobs: [artifact.digest]}
      : {
          input: {kind: 'tree', manifest: path, base: {in: 'cas', path: cas.dir}},
          sourcePaths: [],
          blobs: [artifact.digest],
        };
  }
  const scanned = context.artifacts.source(ref.source);
  if (!scanned.tree) {
    const {path} = scanned;
    return {input: {kind: 'file', path, digest: artifact.digest}, sourcePaths: [path], blobs: []};
  }
  await storeText(treeText(scanned.tree), artifact.digest.hash, context);
  return {
    input: {kind: 'tree', manifest: cas.pathOf(artifact.digest), base: {in: 'folder', path: scanned.path}},
    sourcePaths: scanned.tree.entries.map((entry) => `${scanned.path}/${entry.path}`),
    blobs: [],
  };
}
