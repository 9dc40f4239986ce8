import {appendFileSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Sha256} from '../../core/digest.ts';
import {failure, FailureError, type Failure} from '../../core/failure.ts';
import type {Cas, Exchange, ExchangeAddress, Job, JobResult} from '../../core/ports.ts';
import {ok, type Result} from '../../core/result.ts';
import type {Environment} from '../environment.ts';
import type {TreeInput} from '../input-tree.ts';
import {removeTree} from '../remove-tree.ts';
import {shellQuote} from '../reproduce-script.ts';
import {layOut, takeArtifact, type Gone} from './sent-artifact.ts';
import {createDescribe, loadsOf, type Load} from './sent-job.ts';
import {chooseNode, conditions, type Brought, type Courier} from './courier.ts';
import {eventsName, readJson, readResult, resultName, workName, type ResultFile} from './files.ts';
import {
  exits,
  newKey,
  orderName,
  reportKey,
  reportName,
  seal,
  ticketName,
  unseal,
  type JobReport,
  type Order,
  type Ticket,
} from './ticket.ts';
import {writeWhole} from '../write-whole.ts';

export interface CacheCourierOptions {
  /** Environment of the calling program. */
  readonly env: Environment;
  readonly cas: Cas;
  readonly connect: (address: ExchangeAddress) => Exchange;
  readonly address: ExchangeAddress;
  /** Node.js on the compute nodes. */
  readonly node: string;
  /** On the compute nodes: what runs the jobs, given a ticket. */
  readonly entry: string;
  /** Of mixdown. */
  readonly version: string;
}

/** One result that is looked for. */
interface Errand {
  readonly folder: string;
  readonly task: number;
  readonly job: number;
  readonly ticket: Ticket;
  readonly exchange: Exchange;
}

const laterHint = {hint: 'what the job made is not lost: run again when that is put right'};

/** Compute nodes see nothing of this machine: orders, inputs and results travel by the remote cache. */
export function cacheCourier(options: CacheCourierOptions): Courier {
  return new CacheCourier(options);
}

class CacheCourier implements Courier {
  readonly requirements = 'compute nodes must have Node.js and mixdown, and reach the remote cache: see docs/slurm.md';
  readonly #options: CacheCourierOptions;
  readonly #exchange: Exchange;
  readonly #stop = new AbortController();
  readonly #describe = createDescribe();
  /** Trees whose files are there, by the hash of their list. */
  readonly #trees = new Map<string, Promise<Failure | undefined>>();
  readonly #mistrusted = new Set<Sha256>();

  constructor(options: CacheCourierOptions) {
    this.#options = options;
    this.#exchange = options.connect(options.address);
  }

  async load(jobs: readonly Job[], signal: AbortSignal): Promise<ReadonlyMap<Job, Failure>> {
    const problems = new Map<Job, Failure>();
    await Promise.all(
      jobs.map(async (job) => {
        const problem = await this.#load(job, signal).catch((error: Error) =>
          failure('input-unreadable', error.message),
        );
        if (problem) problems.set(job, problem);
      }),
    );
    return problems;
  }

  async #load(job: Job, signal: AbortSignal): Promise<Failure | undefined> {
    const {cargo} = await this.#describe(job);
    for (const tree of cargo.trees) {
      const problem = await this.#loadTree(tree, signal);
      if (problem) return problem;
    }
    return this.#giveAll(cargo.loads, signal);
  }

  /** Once for all jobs that read the tree; again when the job that began with it is given up. */
  async #loadTree(tree: TreeInput, signal: AbortSignal): Promise<Failure | undefined> {
    const {manifest} = tree;
    for (;;) {
      let giving = this.#trees.get(manifest);
      if (!giving) this.#trees.set(manifest, (giving = this.#giveAll(loadsOf(tree), signal)));
      const problem = await giving;
      if (problem && this.#trees.get(manifest) === giving) this.#trees.delete(manifest);
      if (problem?.code !== 'cancelled' || signal.aborted) return problem;
    }
  }

  async #giveAll(loads: readonly Load[], signal: AbortSignal): Promise<Failure | undefined> {
    const given = await Promise.all(loads.map(({digest, file}) => this.#exchange.give(digest, file, signal)));
    return given.find((problem) => problem !== undefined);
  }

  async dispatch(
    folder: string,
    units: readonly (readonly Job[])[],
    signal: AbortSignal,
  ): ReturnType<Courier['dispatch']> {
    const {env, address, node, entry, version} = this.#options;
    const key = newKey();
    const orders: Ticket['orders'][number][] = [];
    for (const [task, jobs] of units.entries()) {
      const order: Order = {
        type: 'slurm-order/1',
        mixdown: version,
        ...conditions(env, jobs),
        jobs: await Promise.all(jobs.map(async (job) => (await this.#describe(job)).job)),
        mistrusted: [...this.#mistrusted],
      };
      const given = await this.#exchange.giveBytes(seal(key, orderName(task), order), signal);
      if (!given.ok) return given;
      orders.push(given.value);
    }
    const ticket: Ticket = {type: 'slurm-ticket/1', address, key, orders};
    await mkdir(folder, {recursive: true, mode: 0o700});
    await writeFile(join(folder, ticketName), JSON.stringify(ticket), {mode: 0o600});
    // Slurm shows the script to its owner alone, unlike a command line or a comment.
    const script = `#!/bin/sh
${chooseNode(node)}
command -v "$node" >/dev/null || exit ${exits.noNode}
[ -f ${shellQuote(entry)} ] || exit ${exits.noMixdown}
exec "$node" --enable-source-maps ${shellQuote(entry)} <<'END-OF-TICKET'
${JSON.stringify(ticket)}
END-OF-TICKET
`;
    return ok({script, startIn: '/', output: '/dev/null'});
  }

  readonly bring = async (folder: string, task: number, jobs: readonly number[]): Promise<Brought> => {
    const again = new Map<number, Failure>();
    let trouble: Failure | undefined;
    const ticket = readJson<Ticket>(join(folder, ticketName), 'slurm-ticket/1');
    if (!ticket) return {again};
    const exchange = this.#exchangeAt(ticket.address);
    await Promise.all(
      jobs.map(async (job) => {
        if (readResult(folder, task, job)) return;
        try {
          const problem = await this.#bringOne({folder, task, job, ticket, exchange});
          if (!problem) return;
          if (problem.code === 'blob-missing' || problem.code === 'blob-corrupt') again.set(job, problem);
          else trouble = problem;
        } catch (error) {
          trouble = ofThisSide(error);
        }
      }),
    );
    if (exchange !== this.#exchange) exchange.close();
    return {again, ...(trouble ? {trouble: {...trouble, ...laterHint}} : {})};
  };

  readonly explain = (exitCode: number): Failure | undefined => {
    const {address, node, entry} = this.#options;
    switch (exitCode) {
      case exits.noNode:
        return failure('no-executor', `the compute node has no Node.js at ${node}, and none in its PATH`, {
          hint: 'say where it is: `executors.slurm.node`',
        });
      case exits.noMixdown:
        return failure('no-executor', `the compute node has no mixdown: there is no file ${entry}`, {
          hint: 'install it there, and say where the package is: `executors.slurm.mixdown`',
        });
      case exits.noCache:
        return failure('no-executor', `the compute node could not use the remote cache ${address.url}`, {
          hint: 'compute nodes must reach it by the same address as this machine',
        });
      case exits.noOrder:
        return failure('worker-crashed', 'the order of the job was not in the remote cache any more, or damaged');
      case exits.notSent:
        return failure('worker-crashed', `the compute node could not send results to the remote cache ${address.url}`, {
          hint: 'see whether it is there and has room, then run again',
        });
      case exits.noScratch:
        return failure('worker-crashed', 'the compute node has no room for its scratch folder below TMPDIR or /tmp');
      default:
        return undefined;
    }
  };

  close(): void {
    this.#stop.abort();
    this.#exchange.close();
  }

  /** Where the results of a submission lie, if this is another place than that of today. */
  #exchangeAt(address: ExchangeAddress): Exchange {
    const {url, messages} = this.#options.address;
    return address.url === url && address.messages === messages ? this.#exchange : this.#options.connect(address);
  }

  async #bringOne({folder, task, job, ticket, exchange}: Errand): Promise<Failure | undefined> {
    const {key} = ticket;
    const {signal} = this.#stop;
    const found = await exchange.collect(reportKey(key, task, job), signal);
    if (!found.ok) return found.error;
    if (!found.value) return undefined;
    const report = unseal<JobReport>(key, reportName(task, job), found.value, 'slurm-report/1');
    if (!report) return failure('blob-corrupt', 'the report of the job is damaged in the remote cache');
    if (report.lacking.length > 0) {
      this.#mistrust(report.lacking);
      return failure('blob-missing', 'the compute node could not use what it was sent');
    }
    const work = workName(task, job, 0);
    const to = join(folder, work);
    await removeTree(to);
    await mkdir(to, {recursive: true, mode: 0o700});
    const result = await this.#resultOf(report, to, exchange);
    if ('gone' in result) {
      this.#mistrust(result.gone);
      return result.problem;
    }
    const told = report.events.map((event) => `${JSON.stringify(event)}\n`).join('');
    appendFileSync(join(folder, eventsName(task)), told, {mode: 0o600});
    const file: ResultFile = {type: 'slurm-result/1', work, result, place: report.place};
    writeWhole(join(folder, resultName(task, job)), JSON.stringify(file), true);
    return undefined;
  }

  /** The result as the job would have left it in this folder. */
  async #resultOf(
    {result, log}: JobReport,
    folder: string,
    exchange: Exchange,
  ): Promise<Result<JobResult, Failure> | Gone> {
    if (!result.ok) {
      await writeFile(join(folder, 'log.txt'), log);
      return result;
    }
    const {cas} = this.#options;
    const {signal} = this.#stop;
    const outputs: Record<string, string> = {};
    for (const [name, {artifact, path}] of Object.entries(result.value.outputs)) {
      const taken = await takeArtifact(artifact, {cas, exchange, signal});
      if (!taken.ok) return taken.error;
      outputs[name] = join(folder, path);
      await layOut(taken.value, outputs[name], cas);
    }
    return ok({...result.value, outputs, log});
  }

  /** What seemed to be there must be looked at anew. */
  #mistrust(hashes: readonly Sha256[]): void {
    this.#exchange.mistrust(hashes);
    for (const hash of hashes) this.#mistrusted.add(hash);
    this.#trees.clear();
  }
}

/** @throws what is no error of the file system */
function ofThisSide(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const {code, message} = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return failure(code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'cache-unwritable', message);
}
