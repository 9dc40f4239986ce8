import {sha256, type Sha256} from './digest.ts';
import {canonicalJson} from './json.ts';
import type {CodeManifest, StageDeclaration} from './stage.ts';
import {enginePackages, type EngineName} from './tensor-engine.ts';

const optionalPackages: ReadonlySet<string> = new Set(Object.values(enginePackages).flat(2));

/**
 * The stage as it runs on an engine: of the engines' packages, only those of this one count as its code. So what else is
 * installed on a machine changes no key, and machines share the results of the engines that they have in common.
 */
export function stageOn(stage: StageDeclaration, engine: EngineName): StageDeclaration {
  const own = enginePackages[engine].flat();
  const packages = Object.entries(stage.manifest.packages);
  const kept = packages.filter(([name]) => !optionalPackages.has(name) || own.includes(name));
  if (kept.length === packages.length) return stage;
  const manifest = {...stage.manifest, packages: Object.fromEntries(kept)};
  return {...stage, manifest, code: sha256(canonicalJson(manifest))};
}

/** The digest of a stage's code without the packages of any engine, and what it is the digest of: the same on all machines. */
export function engineFreeCode({
  numericBackend,
  manifest,
  code,
}: Pick<StageDeclaration, 'numericBackend' | 'manifest' | 'code'>): {
  readonly code: Sha256;
  readonly manifest: CodeManifest;
} {
  if (!numericBackend) return {code, manifest};
  const kept = Object.entries(manifest.packages).filter(([name]) => !optionalPackages.has(name));
  const free = {...manifest, packages: Object.fromEntries(kept)};
  return {code: sha256(canonicalJson(free)), manifest: free};
}
