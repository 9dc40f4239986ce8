import {existsSync, readFileSync} from 'node:fs';
import {relative, sep} from 'node:path';
import {sha256, type Sha256} from '../core/digest.ts';
import {byCodeUnit, canonicalJson, type Json} from '../core/json.ts';
import type {CodeManifest} from '../core/stage.ts';
import {loaderOf, packagePlaces, type BundledFile, type StageBundle} from './stage-bundle.ts';
import type {StageFile} from './stage-catalog.ts';

/**
 * What of a stage's code may change its results: every file of the import closure without comments, formatting and
 * types, and the versions of the npm packages.
 */
export async function codeManifest(stage: StageFile, bundle: StageBundle): Promise<CodeManifest> {
  const hashed = await Promise.all(
    bundle.files.map(async (file) => [manifestPath(stage, file.path), await codeHash(file)] as const),
  );
  const versions = [...bundle.packages].map(([name, folders]) => [name, versionsOf(name, folders)] as const);
  return {
    type: 'code/1',
    files: Object.fromEntries(hashed.sort(([a], [b]) => byCodeUnit(a, b))),
    packages: Object.fromEntries(versions.sort(([a], [b]) => byCodeUnit(a, b))),
  };
}

/** Stands for the version of a package that is imported and not installed. */
export const missingVersion = 'missing';

export function codeDigest(manifest: CodeManifest): Sha256 {
  return sha256(canonicalJson(manifest as unknown as Json));
}

function manifestPath({base, prefix}: StageFile, path: string): string {
  return prefix + relative(base, path).split(sep).join('/');
}

async function codeHash({path, content}: BundledFile): Promise<Sha256> {
  const loader = loaderOf(path);
  if (loader === 'json') return sha256(canonicalJson(JSON.parse(content.toString('utf8')) as Json));
  if (loader !== 'ts' && loader !== 'js') return sha256(content);
  const {transform} = await import('esbuild');
  const {code} = await transform(content.toString('utf8'), {
    loader,
    minifyWhitespace: true,
    legalComments: 'none',
    target: 'esnext',
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  return sha256(code);
}

/** The installed version as seen from each folder that imports the package; usually one. */
function versionsOf(name: string, folders: ReadonlySet<string>): string {
  const found = [...folders].map((folder) => {
    const place = packagePlaces(name, folder).find((path) => existsSync(path));
    return place === undefined ? missingVersion : versionIn(place);
  });
  return [...new Set(found)].sort(byCodeUnit).join(', ');
}

function versionIn(path: string): string {
  try {
    const {version} = JSON.parse(readFileSync(path, 'utf8')) as {version?: unknown};
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
