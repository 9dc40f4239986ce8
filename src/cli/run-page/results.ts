import type {NodeId} from '../../core/pipeline.ts';
import type {Digest} from '../../core/digest.ts';
import type {OutputPort} from '../../core/stage.ts';
import type {Artifact} from '../../core/tree.ts';
import {isObject} from '../../core/json.ts';
import {pageContent, resultSize, showableKind, type FileBytes, type FileKind} from '../../report/page-content.ts';
import type {PageResult} from '../../report/page-data.ts';
import type {PageBooks} from './books.ts';
import {fileName, outputsOf} from './nodes.ts';

const mostCharacters = 8_000_000;
/** Of one folder. */
const mostFiles = 30;

/** One file that is to be shown. */
interface Place {
  readonly node: NodeId;
  readonly output: string;
  readonly file: string;
  readonly digest: Digest;
  readonly title: string;
  readonly about: string;
  readonly show?: OutputPort['show'];
  /** Smaller comes first. */
  readonly rank: number;
  /** Files of the same folder that are left out after this one. */
  readonly more: number;
}

/** What the targets made and what other nodes say is worth showing, the best first, as far as a page can hold it. */
export function pageResults(books: PageBooks): readonly PageResult[] {
  const targets = new Set(books.record.targets);
  const places = [...targets, ...books.ids.filter((id) => !targets.has(id))]
    .flatMap((id) => placesOf(id, targets.has(id), books))
    .sort((a, b) => a.rank - b.rank);
  const results: PageResult[] = [];
  let characters = 0;
  for (const [index, place] of places.entries()) {
    const {node, output, file, digest, title, about, show, more} = place;
    const head = {node, output, file, title};
    const content = pageContent(file, bytesOf(digest, books), `${title}: ${about}`, show);
    if (content === undefined) continue;
    characters += resultSize({...head, ...content});
    if (characters > mostCharacters) {
      const text = `${places.length - index} more results are left out: the page would be too large.`;
      results.push({...head, title: 'And more', kind: 'text', text, more: 0});
      break;
    }
    results.push({...head, ...content});
    if (more > 0) {
      const text = `${more} more files of this folder are left out; \`mixdown show ${node}.${output}\` lists them.`;
      results.push({...head, title: 'And more', kind: 'text', text, more: 0});
    }
  }
  return results;
}

function placesOf(id: NodeId, isTarget: boolean, books: PageBooks): readonly Place[] {
  const node = books.nodeOf(id);
  const ports = node?.outputs ?? books.stageOf(books.resultOf(id)?.action.stage ?? '')?.outputs ?? {};
  const params = books.resultOf(id)?.action.params ?? node?.params;
  const given = isObject(params) ? params['title'] : undefined;
  const name = typeof given === 'string' && given !== '' ? given : id;
  return [...outputsOf(id, books)].flatMap(([output, artifact]) => {
    const port = Object.hasOwn(ports, output) ? ports[output] : undefined;
    if (!isTarget && port?.show === undefined) return [];
    const files = filesOf(artifact, fileName(id, output, books), books);
    return files.slice(0, mostFiles).map(({file, digest}, index): Place => {
      const rank = rankOf(showableKind(file) ?? 'text', isTarget, port?.display === true);
      return {
        node: id,
        output,
        file,
        digest,
        title: rank === 0 ? name : `${name}: ${file}`,
        about: port?.about ?? file,
        ...(port?.show === undefined ? {} : {show: port.show}),
        rank,
        more: index === mostFiles - 1 ? files.length - mostFiles : 0,
      };
    });
  });
}

/** The files of an artifact that can be shown, with the paths that they have in it. */
function filesOf(
  artifact: Artifact,
  name: string,
  books: PageBooks,
): readonly {readonly file: string; readonly digest: Digest}[] {
  if (artifact.kind === 'file') return showableKind(name) !== undefined ? [{file: name, digest: artifact.digest}] : [];
  const entries = books.treeOf(artifact)?.entries ?? [];
  return entries
    .filter(({path}) => showableKind(path) !== undefined)
    .map(({path, digest}) => ({file: `${name}/${path}`, digest}));
}

/** Smaller comes first: what people write papers with, then what a target made besides, and texts for programs at the end. */
function rankOf(kind: FileKind, isTarget: boolean, display: boolean): number {
  if (!isTarget) return 4;
  switch (kind) {
    case 'markdown':
      return display ? 0 : 1;
    case 'svg':
    case 'bitmap':
      return 2;
    case 'table':
      return 3;
    case 'text':
      return display ? 1 : 5;
  }
}

function bytesOf({hash, size}: Digest, {blobs}: PageBooks): FileBytes {
  return {size, read: () => blobs.peek(hash), head: (bytes) => blobs.head(hash, bytes)};
}
