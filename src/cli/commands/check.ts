import {failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {select} from '../../core/selection.ts';
import {otherEngineText, troubleText, verdictCounts} from '../../report/check-text.ts';
import {countText} from '../../report/count-text.ts';
import {openCheckReports, type CheckReports} from '../ci/check-reports.ts';
import type {Context} from '../context.ts';
import {checkDocuments} from '../documents/survey.ts';
import {exitCodeFor, exitCodes, type ExitCode} from '../exit.ts';
import type {Loaded} from '../load.ts';
import {checkProject, withLoaded, type Checked} from '../pins/check.ts';
import {pinFileOf, readPins} from '../pins/file.ts';
import {acceptCommand} from '../pins/report.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {sameOptions} from '../same-options.ts';
import {setWithoutFile} from './lock.ts';

/**
 * Whether the pinned results are those of the pipeline as it is, and of what is here; and, unless nodes are named, whether the
 * documents say what is pinned. Runs and writes nothing.
 */
export async function checkCommand(
  given: Context,
  patterns: readonly string[],
  options: {readonly junit?: string},
): Promise<ExitCode> {
  const reports = openCheckReports(given, options);
  if (!reports.ok) return given.fail(reports.error);
  return reports.value.end(await check(reports.value, patterns));
}

async function check({context, tell}: CheckReports, patterns: readonly string[]): Promise<ExitCode> {
  const found = findProject(context);
  if (!found.ok) return context.fail(found.error);
  const pins = requirePins(context, found.value);
  if (!pins.ok) return context.fail(pins.error);
  return withLoaded(found.value, context, async (loaded) => {
    if (!loaded.ok) return context.fail(loaded.error);
    const wanted = chooseNodes(loaded.value, pins.value, patterns);
    if (!wanted.ok) return context.fail(wanted.error);
    const checked = await checkProject(context, loaded.value, pins.value);
    if (!checked.ok) return context.fail(checked.error);
    const {missing} = checked.value;
    const checks = checked.value.checks.filter(({node}) => wanted.value?.has(node) ?? true);
    const stands = missing.length === 0 && checks.every(({verdict}) => verdict === 'fresh');
    const documents = patterns.length > 0 ? ok([]) : await checkDocuments(context, loaded.value, pins.value);
    const failures = documents.ok ? documents.value : documents.error;
    const fresh = stands && failures.length === 0;
    const file = displayPath(pinFileOf(context, found.value) ?? '', context.io.cwd);
    tell(loaded.value, {checks, missing, documents: failures}, file, fresh);
    if (context.globals.json)
      context.printJson({type: 'check/1', file, fresh, nodes: checks, missing, documents: failures});
    else if (!(stands && context.globals.quiet)) context.print(checkText({checks, missing}, file, context));
    if (!context.globals.json && failures.length > 0) context.fail(failures);
    if (!documents.ok) return exitCodeFor(failures);
    return fresh ? exitCodes.done : exitCodes.stale;
  });
}

/** The pins, which must be there. */
export function requirePins(context: Context, project: Project): Result<Pins> {
  const path = pinFileOf(context, project);
  if (path === undefined) return err([setWithoutFile]);
  const pins = readPins(context, project);
  if (!pins.ok) return pins;
  if (pins.value !== undefined) return ok(pins.value);
  const hint = `pin the results that are here with \`mixdown lock${sameOptions(context.globals)}\`, and commit the file`;
  return err([failure('lock-missing', `there is no ${displayPath(path, context.io.cwd)}`, {hint})]);
}

/** Undefined for all. What is pinned and no longer a node can be named too. */
function chooseNodes(
  {pipeline, graph}: Loaded,
  pins: Pins,
  patterns: readonly string[],
): Result<ReadonlySet<NodeId> | undefined> {
  if (patterns.length === 0) return ok(undefined);
  const orphans = patterns.filter((pattern) => pins.nodes.has(pattern) && !graph.indexOf.has(pattern));
  const others = patterns.filter((pattern) => !orphans.includes(pattern));
  const selected = select(pipeline, graph, others);
  return selected.ok ? ok(new Set([...orphans, ...selected.value])) : selected;
}

function checkText({checks, missing}: Checked, file: string, {paint, globals}: Context): string {
  const trouble = checks.filter(({verdict}) => verdict !== 'fresh');
  const lines = trouble.length === 0 ? [] : [troubleText(trouble, paint), ''];
  for (const {source, path, nodes} of missing) {
    lines.push(
      `${paint.bad('missing')} source ${paint.bold(source)} (${path})`,
      `  ${countText(nodes, 'node')} that read it cannot be checked`,
      '',
    );
  }
  const word = trouble.length + missing.length === 0 ? paint.good('fresh') : paint.bad('not fresh');
  lines.push(`${paint.bold(file)} is ${word}: ${verdictCounts(checks)}`);
  lines.push(...otherEngineText(checks.flatMap(({otherEngine}) => otherEngine ?? [])));
  const same = sameOptions(globals);
  if (trouble.some(({verdict}) => verdict !== 'drifted'))
    lines.push(paint.dim(`to pin what is new: mixdown run${same}`));
  const drifted = trouble.filter(({verdict, follows}) => verdict === 'drifted' && follows.length === 0);
  if (drifted.length > 0)
    lines.push(paint.dim(`to take over what drifted: ${acceptCommand(drifted.map(({node}) => node))}${same}`));
  return lines.join('\n');
}
