import {existsSync, readFileSync} from 'node:fs';
import {codeFrame} from '../../config/code-frame.ts';
import {digestOf, sha256, type Digest} from '../../core/digest.ts';
import {failure, type Diagnostic, type Failure, type SourceRange} from '../../core/failure.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {nodeAxes} from '../../core/node-axes.ts';
import {findBlocks, type Block} from '../../documents/blocks.ts';
import {bodyOf, contentOf, unfencedText} from '../../documents/layout.ts';
import {diffLines, type DiffLine} from '../../documents/line-diff.ts';
import type {Fault} from '../../documents/words.ts';
import {countText} from '../../report/count-text.ts';
import type {Context, Globals} from '../context.ts';
import {contentFor, nodesOf, type Content, type Figure} from './content.ts';
import {readDocuments, sourceHolding, type DocumentFile} from './files.ts';
import {openResults, type DocumentResults} from './results.ts';
import type {Loaded} from '../load.ts';
import {pinFileOf} from '../pins/file.ts';
import {displayPath} from '../project.ts';
import {sameOptions} from '../same-options.ts';

/** What was found in documents. */
export interface Survey {
  readonly documents: readonly SurveyedDocument[];
  /** Of blocks whose values cannot be had; these are not among the blocks of the documents. */
  readonly failures: readonly Failure[];
}

/** A document with what each of its blocks is to hold. */
export interface SurveyedDocument {
  readonly document: DocumentFile;
  readonly blocks: readonly SurveyedBlock[];
}

export interface SurveyedBlock {
  readonly block: Block;
  /** Where the block begins. Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** What is to stand between the comments; undefined when the bytes for it are not here. */
  readonly body?: string;
  readonly figure?: Figure;
  /** Undefined when text and results agree. */
  readonly difference?: Difference;
}

/** How a document and the results disagree. */
export interface Difference {
  /** What differs, in words. */
  readonly message: string;
  /** The first line that is wrong; of a whole block, where it begins. */
  readonly range: SourceRange;
  /** Lines of the document to take out and to put in. */
  readonly diff: readonly DiffLine[];
  /** Set when it cannot be mended here. */
  readonly missing?: Failure;
}

export type DocumentContext = Pick<Context, 'io' | 'globals' | 'warn' | 'note'>;

/**
 * Compares the documents of the pipeline with the results: a failure for each block that disagrees, or whose values cannot
 * be had. Fails itself when a document or a block cannot be read. Reads only.
 *
 * A document says what one lock says: it is not compared with that of a profile, or another, where the project has its own.
 *
 * @param pins - what the documents are compared with; without a lock, the last results
 */
export async function checkDocuments(
  context: DocumentContext,
  loaded: Loaded,
  pins: Pins | undefined,
): Promise<Result<readonly Failure[]>> {
  if (loaded.pipeline.documents === undefined || belongToOther(context, loaded)) return ok([]);
  const documents = await readDocuments(context, loaded, []);
  if (!documents.ok) return documents;
  const surveyed = await surveyDocuments({...context, warn: () => {}}, loaded, pins, documents.value);
  return surveyed.ok ? ok([...surveyed.value.failures, ...differenceFailures(surveyed.value, context)]) : surveyed;
}

/** Whether the documents are bound to the lock of no profile, while another is meant. */
function belongToOther({io, globals}: DocumentContext, {project}: Loaded): boolean {
  const {lock: _, ...unnamed} = globals;
  const own = pinFileOf({io, globals: {...unnamed, profile: [], set: []}}, project);
  return own !== undefined && own !== pinFileOf({io, globals}, project) && existsSync(own);
}

/** The disagreements of all blocks, in the order of the documents. */
export function differenceFailures(
  {documents}: Survey,
  {globals}: Pick<DocumentContext, 'globals'>,
): readonly Failure[] {
  return documents.flatMap(({blocks}) => blocks.flatMap((each) => differenceFailure(each, globals) ?? []));
}

/** The disagreement of a block as a failure with its place and a small diff; undefined when there is none. */
function differenceFailure({difference}: SurveyedBlock, globals: Globals): Failure | undefined {
  if (difference === undefined) return undefined;
  const {message, range, diff, missing} = difference;
  const same = sameOptions(globals);
  const render = `mixdown render${same}`;
  const hint = missing === undefined ? render : `${missing.message}: mixdown run${same}, then ${render}`;
  const frame = diff.length === 0 ? {} : {frame: diffText(diff)};
  const diagnostic: Diagnostic = {code: 'document-differs', message, range, hint, ...frame};
  return {code: 'document-differs', message, diagnostics: [diagnostic]};
}

/**
 * What each block of the documents is to hold, and which hold something else. Reads only. Fails with every mistake in the
 * marks of blocks, and when there can be no plan.
 */
export async function surveyDocuments(
  context: DocumentContext,
  loaded: Loaded,
  pins: Pins | undefined,
  documents: readonly DocumentFile[],
): Promise<Result<Survey>> {
  const found = documents.map((document) => ({document, ...findBlocks(document.text)}));
  const faults = found.flatMap(({document, faults}) => faults.map((fault) => faultFailure(document, fault)));
  for (const {document, blocks} of found) {
    const holder = blocks.length === 0 ? undefined : await sourceHolding(loaded, document.file);
    if (holder === undefined) continue;
    const hint = 'exclude it from the source, or show results elsewhere';
    const message = `${document.shown} is in the source \`${holder}\`: rendering it would make results stale`;
    faults.push(failure('document-invalid', message, {hint}));
  }
  if (faults.length > 0) return err(faults);
  for (const {document, remarks} of found) {
    for (const remark of remarks) context.warn(faultFailure(document, remark));
  }
  const nodes = new Set<string>();
  for (const block of found.flatMap(({blocks}) => blocks)) {
    const named = nodesOf(loaded, block.directive);
    if (named.ok) named.value.forEach((id) => nodes.add(id));
  }
  const ordered = loaded.pipeline.nodes.flatMap(({id}) => (nodes.has(id) ? [id] : []));
  const results = await openResults(context, loaded, pins, ordered);
  if (!results.ok) return results;
  const failures: Failure[] = [];
  try {
    const surveyed: SurveyedDocument[] = [];
    const figures = new Map<string, Figure>();
    for (const {document, blocks} of found) {
      const done: SurveyedBlock[] = [];
      for (const block of blocks) {
        const content = await contentFor(loaded, document, block.directive, results.value);
        if (!content.ok) {
          failures.push(...placeFailures(content.error, document, block));
          continue;
        }
        const {figure} = content.value;
        const other = figure && figures.get(figure.file);
        if (figure && other && other.digest.hash !== figure.digest.hash) {
          const message = `${other.name} goes to the same file`;
          failures.push(...placeFailures([failure('document-invalid', message)], document, block));
        }
        if (figure) figures.set(figure.file, figure);
        done.push(survey(context, document, block, content.value, results.value));
      }
      surveyed.push({document, blocks: done});
    }
    return ok({documents: surveyed, failures: joinStale(failures)});
  } finally {
    results.value.close();
  }
}

/** Nodes are mostly stale together: they are told once, at the first block that shows one, with the command that mends all. */
function joinStale(failures: readonly Failure[]): readonly Failure[] {
  const byNode = new Map(
    failures.flatMap((each) => (each.node === undefined ? [] : [[each.node, each] as const])).reverse(),
  );
  const others = failures.filter(({node}) => node === undefined);
  const first = failures.find(({node}) => node !== undefined);
  if (first === undefined) return others;
  const more = byNode.size - 1;
  const message = first.message + (more === 0 ? '' : `; and ${countText(more, 'more node')} that documents show`);
  const names = [...new Set([...byNode.keys()].map((id) => nodeAxes(id).name))].sort();
  const hint = first.hint ?? `bring up to date what documents show: mixdown run ${names.join(' ')}`;
  const diagnostics = (first.diagnostics ?? []).map((each) => ({...each, message, hint}));
  return [{...first, message, hint, diagnostics}, ...others];
}

function survey(
  {io}: Pick<Context, 'io'>,
  document: DocumentFile,
  block: Block,
  {text: content, source, figure}: Content,
  {from}: DocumentResults,
): SurveyedBlock {
  const {text} = document;
  const {line, column} = placeIn(text, block.start);
  const body = content === undefined ? undefined : bodyOf(text, block, content);
  const at = {block, line, column, ...(body === undefined ? {} : {body}), ...(figure ? {figure} : {})};
  const range = {file: document.shown, line, column};
  if (body === undefined) {
    if (source === undefined || holdsBytes(text, block, source)) return at;
    const missing = failure('blob-missing', `the bytes of ${source.name} are not in the cache`, {
      hint: 'make them: mixdown run',
    });
    const message = `\`${block.source}\` is not ${source.name} of ${from}`;
    return {...at, difference: {message, range, diff: [], missing}};
  }
  const before = text.slice(block.body.start, block.body.end);
  if (unify(before) !== unify(body)) {
    return {...at, difference: textDifference(document, block, unify(before), unify(body), from, figure)};
  }
  if (figure === undefined || holdsFigure(figure)) return at;
  const shown = displayPath(figure.file, io.cwd);
  const message = existsSync(figure.file) ? `${shown} is not ${figure.name} of ${from}` : `${shown} is missing`;
  return {...at, difference: {message, range, diff: [], ...missingFigure(figure)}};
}

function missingFigure({name, bytes, file, digest}: Figure): Pick<Difference, 'missing'> {
  if (bytes !== undefined || holdsFigure({file, digest})) return {};
  return {
    missing: failure('blob-missing', `the bytes of ${name} are not in the cache`, {hint: 'make them: mixdown run'}),
  };
}

function textDifference(
  document: DocumentFile,
  block: Block,
  before: string,
  after: string,
  from: DocumentResults['from'],
  figure: Figure | undefined,
): Difference {
  const start = placeIn(document.text, block.body.start);
  const rest = figure ? missingFigure(figure) : {};
  if (block.prefix === undefined) {
    const message = `\`${block.source}\` shows ${before === '' ? 'nothing' : before}; ${says(from)} ${after}`;
    return {message, range: {file: document.shown, ...start}, diff: [], ...rest};
  }
  const diff = diffLines(before.split('\n'), after.split('\n')).map((each) => ({
    ...each,
    line: each.line + start.line - 1,
  }));
  const first = diff.find(({sign}) => sign === '-') ?? diff[0];
  const message = `\`${block.source}\` is not what ${says(from)}`;
  const line = first?.line ?? start.line;
  return {message, range: {file: document.shown, line, column: 1}, diff, ...rest};
}

/** Whether the block's text is that of some bytes: with either line break, with or without one at the end. */
function holdsBytes(
  text: string,
  block: Block,
  {digest, fenced}: {readonly digest: Digest; readonly fenced: boolean},
): boolean {
  const content = contentOf(text, block);
  const inner = content !== undefined && fenced ? unfencedText(content) : content;
  if (inner === undefined) return false;
  const ways = [inner, `${inner}\n`].flatMap((each) => [each, each.replaceAll('\n', '\r\n')]);
  return ways.some((each) => sha256(each) === digest.hash);
}

function holdsFigure({file, digest}: Pick<Figure, 'file' | 'digest'>): boolean {
  return existsSync(file) && digestOf(readFileSync(file)).hash === digest.hash;
}

/** Lines with the numbers of the document, at most as many as one takes in. */
function diffText(diff: readonly DiffLine[]): string {
  const shown = diff.slice(0, mostDiffLines);
  const width = String(shown.reduce((most, {line}) => Math.max(most, line), 0)).length;
  const lines = shown.map(({sign, line, text}) => `  ${String(line).padStart(width)} ${sign} ${text}`.trimEnd());
  const more = diff.length - shown.length;
  return [...lines, ...(more > 0 ? [`  … ${more} more`] : [])].join('\n');
}

const mostDiffLines = 20;

function placeFailures(failures: readonly Failure[], document: DocumentFile, {start, body}: Block): readonly Failure[] {
  return failures.map(({code, message, hint, node}) => {
    const fault = {message, start, end: body.start, ...(hint === undefined ? {} : {hint})};
    return {...faultFailure(document, fault, code), ...(node === undefined ? {} : {node})};
  });
}

function faultFailure(
  {text, shown}: DocumentFile,
  {message, hint, start, end}: Fault,
  code: Failure['code'] = 'document-invalid',
): Failure {
  const to = placeIn(text, end);
  const range = {file: shown, ...placeIn(text, start), endLine: to.line, endColumn: to.column};
  const rest = hint === undefined ? {} : {hint};
  return {code, message, ...rest, diagnostics: [{code, message, ...rest, range, frame: codeFrame(text, range)}]};
}

/** Line and column of an offset, from 1. */
export function placeIn(text: string, offset: number): {readonly line: number; readonly column: number} {
  const before = text.slice(0, offset);
  return {line: before.split('\n').length, column: offset - before.lastIndexOf('\n')};
}

function says(from: DocumentResults['from']): string {
  return from === 'the results' ? 'the results say' : 'the lock says';
}

function unify(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
