import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {expect, it} from 'vitest';

type Names = Readonly<Record<string, string>>;

interface Manifest {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Names;
  readonly devDependencies?: Names;
  readonly optionalDependencies?: Names;
}

interface Package extends Manifest {
  readonly exports: Readonly<Record<string, string | Names>>;
  readonly bin: Names;
  readonly files: readonly string[];
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Package;
const {packages} = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {packages: Record<string, Manifest>};

it('locks the versions that package.json asks for', () => {
  const {version, dependencies, devDependencies, optionalDependencies} = packages['']!;
  expect(manifest).toMatchObject({version, dependencies, devDependencies, optionalDependencies});
});

// A platform's package that is missing here makes `npm ci` fail everywhere.
it('locks everything that a locked package needs on any platform', () => {
  const missing = Object.entries(packages).flatMap(([path, {dependencies, optionalDependencies}]) =>
    Object.keys({...dependencies, ...optionalDependencies})
      .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
      .map((name) => `${name}, for ${path || 'mixdown'}`),
  );
  expect(missing).toEqual([]);
});

it('locks every package by its content, and none to the place it came from', () => {
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  expect(entries.filter(([, {integrity}]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
  expect(entries.filter(([, {resolved}]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
});

it('exports and ships what there is', () => {
  const targets = [...Object.values(manifest.exports), manifest.bin].flatMap((entry) =>
    typeof entry === 'string' ? [] : Object.values(entry),
  );
  const files = [...targets.map(sourceOf), ...manifest.files.filter((file) => file !== 'dist'), 'LICENSE', 'README.md'];
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

// Releases from 1.29 on report to their maker from every process unless a variable says no.
it('locks an onnxruntime that has nothing to switch off', () => {
  const folder = 'node_modules/onnxruntime-node/bin';
  const files = existsSync(folder) ? readdirSync(folder, {recursive: true, encoding: 'utf8'}) : [];
  const binaries = files
    .filter((file) => /libonnxruntime[^/]*\.(so|dylib)/.test(file))
    .map((file) => `${folder}/${file}`);
  expect(binaries.filter((file) => readFileSync(file).includes('ORT_DISABLE_TELEMETRY'))).toEqual([]);
});

function foldersAbove(path: string): readonly string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  return [...parts.map((_, at) => `${parts.slice(0, at + 1).join('/node_modules/')}/`), ''];
}

function sourceOf(target: string): string {
  return target.replace(/^\.\/dist\//, 'src/').replace(/(\.d)?\.(ts|js)$/, '.ts');
}
