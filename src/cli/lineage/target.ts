import {realpathSync} from 'node:fs';
import {basename, relative, resolve} from 'node:path';
import type {Sha256} from '../../core/digest.ts';
import {failure} from '../../core/failure.ts';
import {fromSources, type LineageBooks, type Origin, type Producer} from '../../core/lineage.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {Artifact} from '../../core/tree.ts';
import {listText} from '../../report/count-text.ts';
import type {Books} from './books.ts';
import {readRecord} from '../records.ts';
import {resultPath} from '../results.ts';
import type {Workspace} from '../workspace.ts';

/** A result, or one file of a result that is a folder. */
export interface Place {
  readonly producer: Producer;
  readonly entry?: string;
}

/** A file or folder on disk, and what is known to have its bytes. */
export interface FileTarget {
  readonly path: string;
  readonly artifact: Artifact;
  /** The result that a run put at this path, when the bytes there are others now. */
  readonly changed?: {readonly runId: string; readonly was: Artifact};
  /** Results with these bytes, the likeliest first. Of a changed file, the result that lay there. */
  readonly places: readonly Place[];
  readonly sources: readonly Origin[];
}

const mostPlaces = 20;

/** Finds out what a file is, by its bytes and by where it lies. Fails when nothing on record is like it. */
export async function findFile(
  path: string,
  shown: string,
  books: Books,
  workspace: Workspace,
): Promise<Result<FileTarget>> {
  const scanned = await workspace.sources.scan({name: shown, path, include: [], exclude: []});
  if (!scanned.ok) return err(scanned.error.map(({code, message, hint}) => failure(code, message, hint ? {hint} : {})));
  const {artifact} = scanned.value;
  const {hash} = artifact.digest;
  const sources = fromSources(books, hash);
  const placed = placedResult(path, books, workspace);
  if (placed && placed.was.digest.hash !== hash) {
    const {runId, was, ...place} = placed;
    return ok({path: shown, artifact, changed: {runId, was}, places: [place], sources});
  }
  const found = placesOf(hash, books);
  const places = placed ? [placed, ...found.filter((place) => !samePlace(place, placed))] : found;
  if (places.length > 0 || sources.length > 0) return ok({path: shown, artifact, places, sources});
  const nearest = namesakes(basename(path), books);
  const like = nearest.length === 0 ? '' : `; nearest by name, with other bytes: ${listText(nearest, 3)}`;
  return err([
    failure('blob-missing', `no result and no source has the bytes of ${shown}, sha256 ${hash}${like}`, {
      hint: 'It was made by something else, changed since, or its record is gone from the cache.',
    }),
  ]);
}

type Placed = Place & {readonly runId: string; readonly was: Artifact};

/** What a run put at this path below its `out`. */
function placedResult(path: string, books: Books, {runs}: Workspace): Placed | undefined {
  const inside = relative(real(runs.dir), real(path)).split(/[/\\]/);
  const [runId = '', out, ...parts] = inside;
  if (out !== 'out') return undefined;
  const wanted = parts.join('/');
  for (const [node, {outputs = {}, fingerprint}] of Object.entries(readRecord(runs, runId)?.nodes ?? {})) {
    for (const [output, artifact] of Object.entries(outputs)) {
      const name = books.node(node)?.outputs[output]?.name ?? output;
      const top = resultPath(node, name);
      if (wanted !== top && !wanted.startsWith(`${top}/`)) continue;
      const known = books.producers(artifact.digest.hash).find((each) => each.node === node && each.output === output);
      const print = known?.fingerprint ?? (fingerprint as Sha256 | undefined);
      if (print === undefined) continue;
      const producer = known ?? {fingerprint: print, node, output, artifact, age: 'earlier'};
      if (wanted === top) return {producer, runId, was: artifact};
      const entry = wanted.slice(top.length + 1);
      const digest = books.tree(artifact.digest.hash)?.entries.find((each) => each.path === entry)?.digest;
      if (digest) return {producer, entry, runId, was: {kind: 'file', digest}};
    }
  }
  return undefined;
}

/** Results with these bytes as a whole, else those with a file of these bytes; of the first group that has any. */
function placesOf(hash: Sha256, books: Books): readonly Place[] {
  for (const group of books.groups()) {
    const whole = group.filter(({artifact}) => artifact.digest.hash === hash).map((producer): Place => ({producer}));
    const found = whole.length > 0 ? whole : entriesOf(group, books, ({digest}) => digest.hash === hash);
    if (found.length > 0) return unique(found).slice(0, mostPlaces);
  }
  return [];
}

function entriesOf(
  group: readonly Producer[],
  books: LineageBooks,
  wanted: (entry: {readonly path: string; readonly digest: {readonly hash: Sha256}}) => boolean,
): Place[] {
  return group.flatMap((producer) => {
    if (producer.artifact.kind !== 'tree') return [];
    const entries = books.tree(producer.artifact.digest.hash)?.entries ?? [];
    return entries.filter(wanted).map(({path}) => ({producer, entry: path}));
  });
}

/** Results and files of results that are called so, for somebody who looks for a file that has changed. */
function namesakes(name: string, books: Books): readonly string[] {
  const names = new Set<string>();
  const [present = []] = books.groups();
  for (const {node = '', output} of present) {
    if (books.node(node)?.outputs[output]?.name === name) names.add(`${node}.${output}`);
  }
  for (const {producer, entry} of entriesOf(present, books, ({path}) => basename(path) === name)) {
    names.add(`${producer.node}.${producer.output}/${entry}`);
  }
  for (const {name: source, now} of books.sources) {
    for (const {path} of now?.tree?.entries ?? []) if (basename(path) === name) names.add(`source ${source}: ${path}`);
  }
  return [...names];
}

function unique(places: readonly Place[]): readonly Place[] {
  return places.filter((place, index) => places.findIndex((other) => samePlace(place, other)) === index);
}

function samePlace(a: Place, b: Place): boolean {
  return a.producer.node === b.producer.node && a.producer.output === b.producer.output && a.entry === b.entry;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
