import {countText} from '../../report/count-text.ts';
import {noteAcceptedLeaks} from '../accepted-leaks.ts';
import type {Context} from '../context.ts';
import {exitCodeFor, exitCodes, type ExitCode} from '../exit.ts';
import {annotating, githubStep} from '../ci/github.ts';
import {loadProject} from '../load.ts';
import {displayPath} from '../project.ts';

/** Says that the pipeline is well, or every problem in it. JSON: `{valid, nodes?, failures?}`. */
export async function validateCommand(given: Context): Promise<ExitCode> {
  const step = githubStep(given);
  const context = annotating(given, step);
  const loaded = await loadProject(context);
  const {json} = context.globals;
  if (!loaded.ok) {
    if (!json) return context.fail(loaded.error);
    context.printJson({valid: false, failures: loaded.error});
    step?.annotate(loaded.error, 'error');
    step?.close();
    return exitCodeFor(loaded.error);
  }
  const {pipeline, project, acceptedLeaks} = loaded.value;
  noteAcceptedLeaks(context, acceptedLeaks, pipeline.nodes);
  const names = new Set(pipeline.nodes.map(({name}) => name)).size;
  if (json) context.printJson({valid: true, nodes: pipeline.nodes.length});
  else {
    const variants = pipeline.nodes.length === names ? '' : `, ${pipeline.nodes.length} with their variants`;
    context.print(
      `${displayPath(project.file, context.io.cwd)} ${context.paint.good('is well')}: ${countText(names, 'node')}${variants}`,
    );
  }
  return exitCodes.done;
}
