import {failure, type Failure} from '../../core/failure.ts';
import {ok, type Result} from '../../core/result.ts';
import {findBlocks} from '../../documents/blocks.ts';
import {replaceBodies} from '../../documents/layout.ts';
import {countText} from '../../report/count-text.ts';
import type {Context} from '../context.ts';
import {readDocuments, replaceFile} from '../documents/files.ts';
import {
  differenceFailures,
  placeIn,
  surveyDocuments,
  type Survey,
  type SurveyedBlock,
  type SurveyedDocument,
} from '../documents/survey.ts';
import {exitCodeFor, exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {readPins} from '../pins/file.ts';
import {withoutTraces} from '../pins/check.ts';
import {displayPath, findProject} from '../project.ts';

interface RenderOptions {
  readonly check?: true;
}

/**
 * Fills the marked blocks of documents from the lock, or from results that are up to date. Writes nothing when a block has a
 * mistake or a value cannot be had; with --check never. JSON: `{documents: [{path, blocks: [...]}], counts}`.
 */
export async function renderCommand(
  context: Context,
  names: readonly string[],
  {check}: RenderOptions,
): Promise<ExitCode> {
  const found = findProject(context);
  if (!found.ok) return context.fail(found.error);
  if (!check) return render(context, names, tellUpdates);
  return withoutTraces(found.value, context, (there) => render(there, names, tellDifferences));
}

async function render(
  context: Context,
  names: readonly string[],
  finish: (context: Context, survey: Survey) => ExitCode,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  if (names.length === 0 && loaded.value.pipeline.documents === undefined) {
    const hint = 'name files, or list them in pipeline.yaml: `documents: [README.md]`';
    return context.fail([failure('usage', 'there are no documents to render', {hint})]);
  }
  const pins = readPins(context, loaded.value.project);
  if (!pins.ok) return context.fail(pins.error);
  const documents = await readDocuments(context, loaded.value, names);
  if (!documents.ok) return context.fail(documents.error);
  const surveyed = await surveyDocuments(context, loaded.value, pins.value, documents.value);
  if (!surveyed.ok) return context.fail(surveyed.error);
  return finish(context, surveyed.value);
}

function tellUpdates(context: Context, {documents, failures}: Survey): ExitCode {
  const missing = documents.flatMap(({blocks}) => blocks.flatMap(({difference}) => difference?.missing ?? []));
  if (failures.length + missing.length > 0) return context.fail([...failures, ...missing]);
  const rendered: SurveyedDocument[] = [];
  for (const each of documents) {
    const written = write(context, each);
    if (!written.ok) return context.fail([written.error]);
    rendered.push(written.value);
  }
  if (context.globals.json) context.printJson(json(rendered, 'updated'));
  else if (!context.globals.quiet) context.print(summary(context, rendered, 'updated'));
  return exitCodes.done;
}

function tellDifferences(context: Context, survey: Survey): ExitCode {
  const {documents, failures} = survey;
  const differences = differenceFailures(survey, context);
  if (context.globals.json) context.printJson(json(documents, 'differs'));
  const told = [...failures, ...(context.globals.json ? [] : differences)];
  if (told.length > 0) context.fail(told);
  else if (!context.globals.json && !context.globals.quiet) context.print(summary(context, documents, 'differs'));
  if (failures.length > 0) return exitCodeFor(failures);
  return differences.length > 0 ? exitCodes.stale : exitCodes.done;
}

/**
 * Writes what differs, and returns the document with its blocks where they stand now. Figures first: a document that is in
 * place links to what is there.
 */
function write(context: Context, {document, blocks}: SurveyedDocument): Result<SurveyedDocument, Failure> {
  const changed = blocks.filter(({difference}) => difference !== undefined);
  for (const {figure} of changed) {
    if (figure?.bytes === undefined) continue;
    const written = replaceFile(figure.file, figure.bytes, displayPath(figure.file, context.io.cwd));
    if (!written.ok) return written;
  }
  const bodies = new Map(changed.flatMap(({block, body}) => (body === undefined ? [] : [[block, body] as const])));
  const text = replaceBodies(document.text, bodies);
  const written =
    text === document.text ? ok(undefined) : replaceFile(document.file, text, document.shown, document.text);
  if (!written.ok) return written;
  const starts = findBlocks(text).blocks.map(({start}) => placeIn(text, start));
  return ok({document, blocks: blocks.map((block, index) => ({...block, ...starts[index]}))});
}

type Verdict = 'updated' | 'differs';

function summary({paint, globals}: Context, documents: readonly SurveyedDocument[], verdict: Verdict): string {
  const lines = documents.flatMap(({document, blocks}) =>
    blocks
      .filter(({difference}) => globals.verbose || difference !== undefined)
      .map((each) => {
        const word = each.difference ? paint.good(verdict) : paint.dim('unchanged');
        return `${document.shown}:${each.line} ${each.block.source}: ${word}`;
      }),
  );
  const blocks = documents.flatMap((each) => each.blocks);
  const changed = blocks.filter(({difference}) => difference !== undefined).length;
  const total = `${countText(blocks.length, 'block')} in ${countText(documents.length, 'document')}`;
  const end = blocks.length === 0 ? '' : changed === 0 ? ', all as the results say' : `, ${changed} ${verdict}`;
  return [...lines, total + end].join('\n');
}

function json(documents: readonly SurveyedDocument[], verdict: Verdict): object {
  return {
    documents: documents.map(({document, blocks}) => ({
      path: document.shown,
      blocks: blocks.map((each) => blockJson(each, verdict)),
    })),
  };
}

function blockJson({block, line, column, difference, figure}: SurveyedBlock, verdict: Verdict): object {
  return {
    line,
    column,
    directive: block.source,
    kind: block.directive.kind,
    status: difference ? verdict : 'unchanged',
    ...(difference ? {message: difference.message, at: difference.range.line, diff: difference.diff} : {}),
    ...(figure ? {figure: {output: figure.name, hash: figure.digest.hash}} : {}),
  };
}
