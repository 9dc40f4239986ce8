import type {ActionResult} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {parseSlices} from '../core/slice-manifest.ts';
import type {Artifact} from '../core/tree.ts';
import type {CasAdmin} from './blob-admin.ts';
import {parseSafeTree} from './validate.ts';

/** What a result refers to. */
export interface Reach {
  /** Without these blobs the result is worth nothing: outputs, files of trees, the list of slices. */
  readonly needed: readonly Digest[];
  /** Blobs that explain it: its log, the manifests of its code and of the trees it was made from. */
  readonly helpful: readonly Sha256[];
  /** Fingerprints of the slices' own records. */
  readonly slices: readonly Sha256[];
}

/** Follows results to blobs. Each tree is read once, however many results share it. */
export interface Reacher {
  ofResult(result: ActionResult): Reach;
  ofArtifacts(artifacts: Iterable<Artifact>, slices: Digest | undefined): Reach;
  /** The blob and, if it is a tree, its files. */
  ofBlob(hash: Sha256): readonly Sha256[];
}

const treeStart = '{"entries":[';

export function createReacher(blobs: CasAdmin): Reacher {
  const trees = new Map<Sha256, readonly Digest[]>();
  const isTree = new Map<Sha256, boolean>();

  const entriesOf = (hash: Sha256): readonly Digest[] => {
    const known = trees.get(hash);
    if (known !== undefined) return known;
    const entries = parseSafeTree(blobs.peek(hash)?.toString('utf8') ?? '')?.entries ?? [];
    const digests = entries.map((entry) => entry.digest);
    trees.set(hash, digests);
    return digests;
  };
  const looksLikeTree = (hash: Sha256): boolean => {
    let answer = isTree.get(hash);
    if (answer === undefined) {
      answer = blobs.head(hash, treeStart.length)?.toString('utf8') === treeStart;
      isTree.set(hash, answer);
    }
    return answer;
  };
  const ofArtifacts: Reacher['ofArtifacts'] = (artifacts, slices) => {
    const needed: Digest[] = [];
    for (const artifact of artifacts) {
      needed.push(artifact.digest);
      if (artifact.kind === 'tree') for (const entry of entriesOf(artifact.digest.hash)) needed.push(entry);
    }
    const fingerprints: Sha256[] = [];
    if (slices !== undefined) {
      needed.push(slices);
      const manifest = parseSlices(blobs.peek(slices.hash)?.toString('utf8') ?? '');
      for (const slice of manifest?.slices ?? []) {
        fingerprints.push(slice.fingerprint);
        for (const output of Object.values(slice.outputs)) needed.push(output);
      }
    }
    return {needed, helpful: [], slices: fingerprints};
  };
  return {
    ofArtifacts,
    ofBlob: (hash) => (looksLikeTree(hash) ? [hash, ...entriesOf(hash).map((entry) => entry.hash)] : [hash]),
    ofResult(result) {
      const helpful: Sha256[] = [result.action.code];
      if (result.execution.log !== undefined) helpful.push(result.execution.log.hash);
      for (const input of Object.values(result.action.inputs)) {
        for (const digest of 'hash' in input ? [input] : input) {
          if (looksLikeTree(digest.hash)) helpful.push(digest.hash);
        }
      }
      return {...ofArtifacts(Object.values(result.outputs), result.slices), helpful};
    },
  };
}
