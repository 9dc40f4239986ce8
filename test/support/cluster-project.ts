import {existsSync} from 'node:fs';
import type {ChildProcess} from 'node:child_process';
import {createInterface} from 'node:readline';
import type {Event} from '../../src/core/events.ts';
import type {ClusterJob, SlurmCluster} from './slurm-cluster.ts';
import {ended, Workspace, type CliResult} from './workspace.ts';

/** A run on the cluster, from its start to its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly end: Promise<CliResult>;
  /** Resolves with the first event that the test accepts; fails when the run ends without. */
  readonly event: (accepts: (event: Event) => boolean) => Promise<Event>;
}

/** A project whose nodes run on a cluster. */
export class ClusterProject extends Workspace {
  readonly cluster: SlurmCluster;

  constructor(cluster: SlurmCluster, template?: string) {
    super(template);
    this.cluster = cluster;
  }

  onCluster(...args: readonly string[]): Running {
    const child = this.start(
      ['run', '--executor', 'slurm', '--json', '--set', 'executors.slurm.poll=0.2', ...args],
      this.cluster.env,
    );
    const seen: Event[] = [];
    const waiting = new Set<(event: Event | undefined) => void>();
    const end = ended(child);
    createInterface({input: child.stdout!}).on('line', (line) => {
      const event = JSON.parse(line) as Event;
      seen.push(event);
      for (const tell of waiting) tell(event);
    });
    void end.then(() => waiting.forEach((tell) => tell(undefined)));
    return {
      child,
      end,
      event: (accepts) =>
        new Promise((resolve, reject) => {
          const before = seen.find(accepts);
          if (before) resolve(before);
          const tell = (event: Event | undefined): void => {
            if (event === undefined) void end.then(({stderr}) => reject(new Error(`no such event; ${stderr}`)));
            else if (accepts(event)) resolve(event);
          };
          waiting.add(tell);
        }),
    };
  }

  /** Makes of the project one node that notes its start, and ends when the gate is open. */
  gated(executor = '{}', rest = ''): void {
    const script = `hostname >> ${this.path('starts')}; until [ -e ${this.path('gate')} ]; do sleep 0.05; done; echo made > out.txt`;
    this.write(
      'pipeline.yaml',
      `version: 1
nodes:
  slow: {shell: sh, script: '${script}', outputs: {out: out.txt}${rest}}
executors: {slurm: ${executor}}
`,
    );
  }

  open(): void {
    this.write('gate', '');
  }

  /** How often the command of a node with a gate was started. */
  starts(): number {
    return existsSync(this.path('starts')) ? this.read('starts').trim().split('\n').length : 0;
  }

  /** Waits until the first job that the run submitted is at work. */
  async working(run: Running): Promise<ClusterJob> {
    const id = submittedAs(await run.event((event) => submittedAs(event) !== undefined))!;
    return this.cluster.whenJobs('a job at work', (jobs) =>
      this.starts() === 0 ? undefined : jobs.find((job) => job.id === id && job.state === 'RUNNING'),
    );
  }

  /** Waits for a moment in the life of a job. */
  async whenJob(id: string, accepts: (job: ClusterJob) => boolean): Promise<ClusterJob> {
    return this.cluster.whenJobs(`the job ${id}`, (jobs) => jobs.find((job) => job.id === id && accepts(job)));
  }

  /** Jobs of this project's fingerprints, whatever else the cluster has seen. */
  jobsOf(end: CliResult): readonly ClusterJob[] {
    const prints = new Set(
      eventsOf(end).flatMap((event) => (event.type === 'node-finished' ? [event.fingerprint] : [])),
    );
    return this.cluster.jobs().filter(({comment}) => prints.has(comment.replace('mixdown:', '')));
  }
}

/** The number under which a job was submitted, of the event that says so. */
export function submittedAs(event: Event): string | undefined {
  return event.type === 'node-log' ? /^submitted as Slurm job (\S+)$/.exec(event.text)?.[1] : undefined;
}

export function isAdoption(event: Event): boolean {
  return event.type === 'node-log' && event.text.includes('goes on with');
}

export function isOver({state}: ClusterJob): boolean {
  return !/^(PENDING|CONFIGURING|RUNNING|COMPLETING)$/.test(state);
}

export function eventsOf({stdout}: CliResult): readonly Event[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
}

/** Fingerprint and output digests of each node that ended. */
export function resultsOf(end: CliResult): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const event of eventsOf(end)) {
    if (event.type === 'node-finished') found[event.node] = [event.outcome, event.fingerprint, event.outputs];
  }
  return found;
}
