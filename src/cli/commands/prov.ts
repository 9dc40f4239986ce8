import {isSha256} from '../../core/digest.ts';
import {refsByPort} from '../../core/pipeline.ts';
import {provDocument, type ProvDocument} from '../../report/prov.ts';
import {openRunStore} from '../../store/run-store.ts';
import {openStore} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {findProject} from '../project.ts';
import {chooseRun, nodesOf} from '../run-choice.ts';
import {warnOnce} from '../warnings.ts';

/** Prints where the results of a recorded run are from, in PROV-JSON, one record a line. Reads only. */
export async function provCommand(context: Context, wanted = 'latest'): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const runs = openRunStore(project.value.runsDir);
  const picked = chooseRun(runs, wanted);
  if (!picked.ok) return context.fail(picked.error);
  const opened = openStore({dir: project.value.cacheDir, warn: warnOnce(context), what: 'exporting provenance'});
  if (!opened.ok) return context.fail(opened.error);
  const {actions} = opened.value;
  // Only names are taken from the pipeline, which may be of another time, or broken.
  const loaded = await loadProject(context);
  if (!loaded.ok) context.note('the pipeline cannot be read: sources have no names');
  const {nodes = [], sources = {}} = loaded.ok ? loaded.value.pipeline : {};
  const reads = new Map(nodes.map((node) => [node.id, new Map(refsByPort(node))]));
  try {
    const document = provDocument({
      run: picked.value,
      nodes: nodesOf(runs, picked.value),
      resultOf: (fingerprint) => (isSha256(fingerprint) ? actions.peek(fingerprint) : undefined),
      readsOf: (node, port) => reads.get(node)?.get(port),
      pathOf: (source) => sources[source]?.path,
    });
    print(context, document);
    return exitCodes.done;
  } finally {
    opened.value.close();
  }
}

/** Section by section: the whole text of a large run need not be in memory at a time. */
function print({io}: Context, document: ProvDocument): void {
  const sections = Object.entries(document).filter(([, records]) => Object.keys(records as object).length > 0);
  sections.forEach(([name, records], index) => {
    const lines = Object.entries(records as object).map(
      ([id, record]) => `${JSON.stringify(id)}:${JSON.stringify(record)}`,
    );
    const end = index === sections.length - 1 ? '}}\n' : '},\n';
    io.stdout.write(`${index === 0 ? '{' : ''}${JSON.stringify(name)}:{\n${lines.join(',\n')}\n${end}`);
  });
}
