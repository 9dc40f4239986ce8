import type {Plan} from '../../core/plan.ts';
import type {TensorEngines} from '../../core/ports.ts';
import type {EngineName} from '../../core/tensor-engine.ts';
import {isStale} from '../../engine/plan.ts';
import type {Reporter} from '../../report/reporter.ts';
import {runRecorder, type RunFacts} from '../../report/run-record.ts';
import type {RunStore} from '../../store/run-store.ts';
import type {Context} from '../context.ts';
import type {Loaded} from '../load.ts';
import {packageVersion} from '../package.ts';
import type {Warnings} from '../warnings.ts';
import {hostName, machineFacts} from '../workspace.ts';

/** Writes what a run says into a folder of its own. */
export async function recorderFor(
  {io}: Context,
  {pipeline, engines}: Loaded,
  plan: Plan,
  runs: RunStore,
  {warn}: Warnings,
): Promise<Reporter> {
  return runRecorder({
    facts: {
      command: ['mixdown', ...io.argv],
      seed: pipeline.seed,
      host: hostName(),
      versions: {mixdown: packageVersion(), node: process.versions.node},
      engines: await usedEngines(plan, engines),
      machine: machineFacts(),
    },
    open(runId) {
      const folder = runs.create(runId);
      if (!folder.ok) throw new Error(folder.error[0]?.message);
      return folder.value;
    },
    onProblem: (error) =>
      warn({
        code: 'cache-unwritable',
        message: `this run is not recorded: ${error instanceof Error ? error.message : String(error)}`,
      }),
  });
}

/** The engines of the nodes that are to run, with what is known of them. */
async function usedEngines({nodes}: Plan, engines: TensorEngines): Promise<RunFacts['engines']> {
  const used: {-readonly [E in EngineName]?: Readonly<Record<string, string>>} = {};
  for (const {engine, status} of nodes) {
    if (engine === undefined || engine in used || !isStale(status)) continue;
    const check = await engines.check(engine);
    used[engine] = check.works ? check.versions : {};
  }
  return used;
}
