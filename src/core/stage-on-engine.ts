import {sha256} from './digest.ts';
import {canonicalJson} from './json.ts';
import type {StageDeclaration} from './stage.ts';
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
