import type {Action} from '../../core/action.ts';
import {sha256, type Sha256} from '../../core/digest.ts';
import {canonicalJson} from '../../core/json.ts';
import type {Pin, PinnedInput, PinnedOutput} from '../../core/pins.ts';
import {engineFreeCode} from '../../core/stage-on-engine.ts';
import type {CodeManifest} from '../../core/stage.ts';
import type {Artifact} from '../../core/tree.ts';
import type {CasAdmin} from '../../store/blob-admin.ts';

/** What an action made, in the words of a pin; undefined when its code is gone from the cache and cannot be freed of its engine. */
export function pinOfAction(
  action: Action,
  made: Readonly<Record<string, Artifact>>,
  blobs: Pick<CasAdmin, 'peek'>,
): Pin | undefined {
  const code = codeOf(action, blobs);
  if (code === undefined) return undefined;
  const {stage, params, seed, toolchain, salt, each} = action;
  const inputs = Object.entries(action.inputs).map(([port, input]): readonly [string, PinnedInput] => {
    if ('hash' in input) return [port, input.hash];
    return [port, {many: input.length, hash: sha256(canonicalJson(input.map(({hash}) => hash)))}];
  });
  const outputs = Object.entries(made).map(([name, artifact]): readonly [string, PinnedOutput] => {
    const {kind, digest} = artifact;
    return [
      name,
      kind === 'file'
        ? {kind, hash: digest.hash, size: digest.size}
        : {kind, hash: digest.hash, size: artifact.bytes, files: artifact.files},
    ];
  });
  return {
    stage,
    code,
    params,
    seed,
    toolchain,
    ...(salt === '' ? {} : {salt}),
    ...(each === undefined ? {} : {each}),
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    metrics: {},
  };
}

/** Pins know code without the packages of engines, which are in an action's code when it computed with one. */
function codeOf({code, toolchain}: Action, blobs: Pick<CasAdmin, 'peek'>): Sha256 | undefined {
  if (toolchain['engine'] === undefined) return code;
  const manifest = readManifest(blobs.peek(code)?.toString('utf8') ?? '');
  return manifest && engineFreeCode({numericBackend: true, manifest, code}).code;
}

/** Undefined when the text is no manifest. */
function readManifest(text: string): CodeManifest | undefined {
  try {
    const value = JSON.parse(text) as Partial<CodeManifest> | null;
    return value?.type === 'code/1' && value.files && value.packages ? (value as CodeManifest) : undefined;
  } catch {
    return undefined;
  }
}
