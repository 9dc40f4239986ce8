import type {ExecutorName} from '../../core/executor.ts';
import type {ExchangeAddress} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {FailureMode} from '../../engine/run-context.ts';
import {newRunId} from '../../store/run-store.ts';
import {clusterAddress} from '../cluster/transport.ts';
import type {Context} from '../context.ts';
import {selectNodes, type Loaded} from '../load.ts';
import {obstaclesOf, planNodes, type PlannedWork} from '../planning.ts';
import {collectWarnings, type Warnings} from '../warnings.ts';

/** How a run is to go. */
export interface RunSettings {
  readonly jobs?: number;
  readonly executor?: ExecutorName;
  readonly onFailure: FailureMode;
  readonly keepGoing?: true;
  readonly force?: true;
}

/** A run that is about to begin. Whoever has it closes its workspace. */
export interface PlannedRun {
  readonly loaded: Loaded;
  readonly work: PlannedWork;
  readonly warnings: Warnings;
  readonly runId: string;
  /** Where jobs of a cluster get their files, unless they see this disk. */
  readonly clusterAddress?: ExchangeAddress;
}

/** Plans what the patterns name. Fails when the plan cannot be carried out; warnings are told then. */
export async function planRun(
  context: Context,
  loaded: Loaded,
  patterns: readonly string[],
  options: Pick<RunSettings, 'jobs' | 'executor' | 'force'>,
): Promise<Result<PlannedRun>> {
  const targets = selectNodes(loaded, patterns, 'default');
  if (!targets.ok) return targets;
  const runId = newRunId(context.io.now());
  const warnings = collectWarnings(context);
  const work = await planNodes(warnings, loaded, targets.value, {...options, remoteOf: context.io}, `run ${runId}`);
  if (!work.ok) {
    warnings.flush();
    return work;
  }
  const obstacles = obstaclesOf(work.value.plan);
  const address = await clusterAddress(loaded, work.value, context.io, options.executor);
  if (obstacles.length === 0 && address.ok) {
    const cluster = address.value ? {clusterAddress: address.value} : {};
    return ok({loaded, work: work.value, warnings, runId, ...cluster});
  }
  work.value.workspace.close();
  warnings.flush();
  return err([...obstacles, ...(address.ok ? [] : address.error)]);
}
