import type {ExecutorName} from '../../core/executor.ts';
import {failure} from '../../core/failure.ts';
import type {ExchangeAddress} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {executorOf} from '../../engine/executor.ts';
import type {Loaded} from '../load.ts';
import type {PlannedWork} from '../planning.ts';
import {chooseRemote, type RemoteWish} from '../remote/choice.ts';

/**
 * Where jobs of a cluster get their files, when that is the remote cache and there are such jobs. Fails when it cannot be used:
 * then none of them can run.
 *
 * @param io - whoever has none uses no remote cache
 */
export async function clusterAddress(
  {pipeline, project, remote}: Loaded,
  {plan, workspace}: Pick<PlannedWork, 'plan' | 'workspace'>,
  io: RemoteWish['io'] | undefined,
  executor: ExecutorName | undefined,
): Promise<Result<ExchangeAddress | undefined>> {
  if (pipeline.slurm?.transport !== 'cache') return ok(undefined);
  const wish = executor === undefined ? {} : {executor};
  const idle = plan.nodes.every(({status}) => status === 'up-to-date');
  // What is cached may have to be made again after all.
  if (idle || !plan.nodes.some(({node}) => executorOf(node, wish) === 'slurm')) return ok(undefined);
  if (!io) return refusal('there is none here', 'use the command line');
  const choice = await chooseRemote({io, project, ...(remote ? {remote} : {})});
  if (!choice.ok) return choice;
  if (!choice.value)
    return refusal('there is none', 'configure one, under `cache.remote` of pipeline.yaml for instance');
  const {settings} = choice.value;
  const {mode, url, namespace} = settings;
  if (mode !== 'read-write') return refusal(`it is ${mode}`, 'set its mode to read-write');
  const {readSecrets} = await import('../../remote/secrets.ts');
  const {authorization, lacks} = await readSecrets(settings, io.env);
  const lack = lacks.find(({secret}) => secret === 'credentials');
  if (lack) return refusal(lack.message, 'put it there');
  const address: ExchangeAddress = {
    url: url.href,
    ...(authorization === undefined ? {} : {authorization}),
    messages: namespace === 'default' ? 'ac' : `${namespace}/ac`,
  };
  const {openExchange} = await import('../../remote/exchange.ts');
  const exchange = openExchange(address, workspace.store, io.now);
  const problem = await exchange.reach(new AbortController().signal);
  exchange.close();
  return problem ? refusal(problem.message, 'see whether it is there') : ok(address);
}

function refusal(why: string, hint: string): Result<never> {
  const message = `\`executors.slurm.transport\` is cache: jobs need a remote cache, and ${why}`;
  return err([
    failure('remote-config', message, {
      hint: `${hint}; or, where compute nodes see this disk, use \`transport: shared\``,
    }),
  ]);
}
