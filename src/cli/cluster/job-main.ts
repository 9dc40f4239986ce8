/**
 * Entry on a compute node that sees nothing of the project: reads a ticket from its standard input, fetches the order of its
 * array task from the remote cache, and runs the jobs with all that they read. Their outputs go to the remote cache, then a
 * report of each. What cannot be reported is told by the exit code.
 */
import {readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {failure, type Failure} from '../../core/failure.ts';
import type {Exchange} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {removeTree} from '../../exec/remove-tree.ts';
import {createRunFolder, sweepDeadRuns} from '../../exec/run-owner.ts';
import {cacheDesk} from '../../exec/slurm/cache-desk.ts';
import {carryOut, whichTask} from '../../exec/slurm/task-loop.ts';
import {exits, orderName, unseal, type Order, type Ticket} from '../../exec/slurm/ticket.ts';
import {openExchange} from '../../remote/exchange.ts';
import type {Store} from '../../store/store.ts';
import {packageRoot, packageVersion} from '../package.ts';
import {closeScratch, openScratch} from './scratch.ts';

const ticket = JSON.parse(readFileSync(0, 'utf8')) as Ticket;
process.exit(await main(ticket));

async function main({address, key, orders}: Ticket): Promise<number> {
  const {task, start} = whichTask();
  const scratch = openScratch(process.env['TMPDIR'] ?? tmpdir());
  if (!scratch.ok) return fail(exits.noScratch, scratch.error[0]);
  const {store} = scratch.value;
  const {cas, dir} = store;
  const exchange = openExchange(address, store, Date.now);
  let folder: string | undefined;
  try {
    const order = await fetchOrder(orders[task], key, task, store, exchange);
    if (!order.ok) return fail(codeFor(order.error), order.error);
    const work = join(dir, 'work');
    await sweepDeadRuns(work);
    folder = await createRunFolder(work, `${process.env['SLURM_JOB_ID'] ?? process.pid}-${task}-${start}`);
    const desk = cacheDesk({order: order.value, key, task, start, cas, exchange, folder, packages: packageRoot});
    const version = packageVersion();
    const {mixdown} = order.value;
    const end = await carryOut(order.value, {
      ...desk,
      prepare: async (...job) => (version === mixdown ? desk.prepare(...job) : err(wrongVersion(version, mixdown))),
    });
    return end === 'done' ? 0 : end === 'stopped' ? 1 : exits.notSent;
  } finally {
    if (folder !== undefined) await removeTree(folder);
    await closeScratch(scratch.value, Date.now());
  }
}

async function fetchOrder(
  digest: Ticket['orders'][number] | undefined,
  key: string,
  task: number,
  {cas}: Store,
  exchange: Exchange,
): Promise<Result<Order, Failure>> {
  const damaged = failure('blob-corrupt', 'the order of this job is damaged');
  if (!digest) return err(damaged);
  const problem = await exchange.take(digest, new AbortController().signal);
  if (problem) return err(problem);
  const bytes = await cas.read(digest);
  const order = bytes && unseal<Order>(key, orderName(task), bytes, 'slurm-order/1');
  return order ? ok(order) : err(damaged);
}

function codeFor({code}: Failure): number {
  if (code === 'blob-missing' || code === 'blob-corrupt') return exits.noOrder;
  return code === 'remote-unavailable' ? exits.noCache : exits.noScratch;
}

/** For whoever has the output of the job written somewhere; by default nobody sees it. */
function fail(exit: number, problem: Failure | undefined): number {
  console.error(problem?.message);
  return exit;
}

function wrongVersion(here: string, wanted: string): Failure {
  return failure('no-executor', `the compute node has mixdown ${here}, and the job is from mixdown ${wanted}`, {
    hint: `install mixdown ${wanted} on the compute nodes, and say where: \`executors.slurm.mixdown\``,
  });
}
