import {readFileSync, statSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {bytesText} from '../../report/bytes.ts';
import type {PageData} from '../../report/page-data.ts';
import {pageHtml, type PageAssets} from '../../report/page-html.ts';
import {tempNames, writeFileAtomic} from '../../store/atomic-file.ts';
import {openRunStore} from '../../store/run-store.ts';
import {newNonce} from '../../store/session.ts';
import {openStore} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {packageRoot} from '../package.ts';
import {openPageBooks} from '../run-page/books.ts';
import {changesOf} from '../run-page/changes.ts';
import {pageData} from '../run-page/data.ts';
import {pinFileOf, readPins} from '../pins/file.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {chooseRun} from '../run-choice.ts';
import {warnOnce} from '../warnings.ts';

export interface ReportOptions {
  readonly output?: string;
}

/** Writes the page of a recorded run and prints where. JSON: what the page shows. Runs nothing. */
export async function reportCommand(
  context: Context,
  wanted: string | undefined,
  {output}: ReportOptions,
): Promise<ExitCode> {
  const {io, globals} = context;
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const data = await collect(context, project.value, wanted ?? 'latest');
  if (!data.ok) return context.fail(data.error);
  if (globals.json && output === undefined) {
    context.printJson(data.value);
    return exitCodes.done;
  }
  const text = globals.json ? ok(`${JSON.stringify(data.value, null, 2)}\n`) : pageText(data.value);
  if (!text.ok) return context.fail(text.error);
  if (output === '-') {
    io.stdout.write(text.value);
    return exitCodes.done;
  }
  const start = resolve(io.cwd, globals.directory ?? '.');
  const path =
    output === undefined ? join(project.value.runsDir, data.value.run.id, 'report.html') : resolve(start, output);
  const written = write(path, text.value);
  if (!written.ok) return context.fail(written.error);
  context.note(`${bytesText(Buffer.byteLength(text.value))}, about run ${data.value.run.id}; open it in a browser:`);
  context.print(displayPath(path, io.cwd));
  return exitCodes.done;
}

async function collect(context: Context, project: Project, wanted: string): Promise<Result<PageData>> {
  const runs = openRunStore(project.runsDir);
  const record = chooseRun(runs, wanted);
  if (!record.ok) return record;
  const opened = openStore({dir: project.cacheDir, warn: warnOnce(context), what: 'reporting a run'});
  if (!opened.ok) return opened;
  try {
    const loaded = await loadProject(context);
    if (!loaded.ok) {
      context.note(
        'the pipeline cannot be read as it is now (see `mixdown validate`): the page is made from records alone',
      );
    }
    const books = openPageBooks(record.value, runs, opened.value, loaded.ok ? loaded.value : undefined);
    if (!books) return err([failure('record-corrupt', `the record of run ${record.value.id} is gone`)]);
    const pins = readPins(context, project);
    if (!pins.ok) pins.error.forEach(context.warn);
    const changes = changesOf(runs, books, pins.ok ? pins.value : undefined, lockName(context, project));
    return ok(pageData(books, project.root, changes));
  } finally {
    opened.value.close();
  }
}

function lockName(context: Context, project: Project): string {
  return basename(pinFileOf(context, project) ?? '');
}

function pageText(data: PageData): Result<string> {
  const assets = readAssets();
  return assets.ok ? ok(pageHtml(data, assets.value)) : assets;
}

function readAssets(): Result<PageAssets> {
  const read = (name: string): string => readFileSync(join(packageRoot, 'dist/page', name), 'utf8');
  try {
    return ok({script: read('page.js'), style: read('page.css')});
  } catch (error) {
    const hint = 'in a checkout of mixdown, build it: npm run build';
    return err([failure('usage', `the script of the page is missing: ${(error as Error).message}`, {hint})]);
  }
}

function write(path: string, text: string): Result<void> {
  try {
    if (statSync(path, {throwIfNoEntry: false})?.isDirectory()) {
      return err([
        failure('usage', `${path} is a folder`, {hint: `name a file in it: -o ${join(path, 'report.html')}`}),
      ]);
    }
    writeFileAtomic(path, text, tempNames(dirname(path), newNonce()));
    return ok(undefined);
  } catch (error) {
    return err([failure('usage', `${path} could not be written: ${(error as Error).message}`)]);
  }
}
