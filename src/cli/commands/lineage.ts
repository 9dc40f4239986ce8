import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import type {Json} from '../../core/json.ts';
import {lineageTracer, type Lineage, type Producer} from '../../core/lineage.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {lineageText} from '../../report/lineage-text.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {openBooks, type Books} from '../lineage/books.ts';
import {findFile} from '../lineage/target.ts';
import {loadProject, type Loaded} from '../load.ts';
import type {PlannedWork} from '../planning.ts';
import {planPresent} from '../present.ts';
import {warnOnce} from '../warnings.ts';
import {knownResult, resolveWanted} from '../wanted.ts';
import {openWorkspace, type Workspace} from '../workspace.ts';

/** Tells what made a file or a node's output. Runs and writes nothing. */
export async function lineageCommand(context: Context, what: string): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const {pipeline} = loaded.value;
  const planned = await planPresent(
    {warn: context.warn, note: () => {}},
    loaded.value,
    pipeline.nodes.map(({id}) => id),
  );
  const work = planned.ok ? planned.value : undefined;
  const opened = work ? ok(work.workspace) : openWorkspace(loaded.value.project, 'tracing lineage', warnOnce(context));
  if (!opened.ok) return context.fail(opened.error);
  const books = await openBooks(loaded.value, work?.plan, opened.value);
  const found = isFile(context, loaded.value, what)
    ? await lineageOfFile(context, what, books, opened.value)
    : lineageOfNode(loaded.value, what, books, work, opened.value);
  if (!found.ok) return context.fail(found.error);
  if (context.globals.json) context.printJson(found.value);
  else {
    const names = {variantOf: (id: string) => books.node(id)?.variant, defaultsOf: defaultsIn(loaded.value)};
    context.print(lineageText(found.value, names, context.paint));
  }
  return exitCodes.done;
}

/** A node is what its name says, unless a path is written that leads to a file. */
function isFile({io}: Context, loaded: Loaded, what: string): boolean {
  if (!existsSync(resolve(io.cwd, what))) return false;
  return what.includes('/') || !resolveWanted(loaded, what, 'lineage').ok;
}

async function lineageOfFile(
  {io}: Context,
  what: string,
  books: Books,
  workspace: Workspace,
): Promise<Result<Lineage>> {
  const target = await findFile(resolve(io.cwd, what), what, books, workspace);
  if (!target.ok) return target;
  const {path, artifact, changed, places, sources} = target.value;
  const tracer = lineageTracer(books);
  const [first, ...others] = places;
  const file = {path, artifact, ...(changed ? {changed} : {})};
  const origin = first ? tracer.trace(first.producer, first.entry) : sources[0];
  if (!origin) throw new Error(`lineage: ${path} was found nowhere`);
  const aside = lineageTracer(books);
  const also = [...others.map(({producer, entry}) => aside.trace(producer, entry)), ...sources.slice(first ? 0 : 1)];
  const {digest} = changed?.was ?? artifact;
  return ok({type: 'lineage/1', file, digest, origin, also, steps: tracer.steps});
}

function lineageOfNode(
  loaded: Loaded,
  what: string,
  books: Books,
  work: PlannedWork | undefined,
  {state}: Workspace,
): Result<Lineage> {
  const wanted = resolveWanted(loaded, what, 'lineage');
  if (!wanted.ok) return wanted;
  const {node, entry} = wanted.value;
  const known = (work && knownResult(node.id, work)) ?? state.get(node.id);
  if (known?.fingerprint === undefined) {
    return err([
      failure('blob-missing', `there is no result of ${node.id} yet`, {hint: `make it: mixdown run '${node.id}'`}),
    ]);
  }
  const output = wanted.value.output ?? Object.keys(known.outputs)[0] ?? '';
  const artifact = known.outputs[output];
  if (!artifact) return err([failure('unknown-output', `the last result has no ${node.id}.${output}`)]);
  const tree = entry === undefined ? undefined : books.tree(artifact.digest.hash);
  const file = tree?.entries.find(({path}) => path === entry);
  if (entry !== undefined && !file) {
    return err([failure('unknown-output', `${node.id}.${output} has no entry \`${entry}\``)]);
  }
  const age = 'stale' in known && !known.stale ? 'current' : 'last';
  const producer: Producer = {
    fingerprint: known.fingerprint as Producer['fingerprint'],
    node: node.id,
    output,
    artifact,
    age,
  };
  const tracer = lineageTracer(books);
  const origin = tracer.trace(producer, entry);
  return ok({type: 'lineage/1', digest: file?.digest ?? artifact.digest, origin, also: [], steps: tracer.steps});
}

/** The params of a stage that nobody gave a value. */
function defaultsIn({pipeline}: Loaded): (stage: string) => Readonly<Record<string, Json>> {
  return (stage) =>
    Object.fromEntries(
      Object.entries(pipeline.stages[stage]?.params ?? {}).flatMap(([name, schema]) =>
        Object.hasOwn(schema, 'default') ? [[name, schema['default'] as Json]] : [],
      ),
    );
}
