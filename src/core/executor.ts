/** Where jobs run: on this machine, or as jobs of a Slurm cluster. Never part of a key. */
export type ExecutorName = 'local' | 'slurm';

export const executorNames: readonly ExecutorName[] = ['local', 'slurm'];

export function isExecutorName(name: string): name is ExecutorName {
  return (executorNames as readonly string[]).includes(name);
}

/**
 * How jobs of a cluster get what they read, and what they made gets back: by a disk that compute nodes see under the same paths
 * as this machine, or by the remote cache.
 */
export type SlurmTransport = 'shared' | 'cache';

/** How a site wants its Slurm to be used. */
export interface SlurmProfile {
  readonly partition?: string;
  readonly account?: string;
  /** Time limit of jobs whose node has no timeout; the partition's own when absent. */
  readonly timeMs?: number;
  /** Further options of `sbatch`, as written. */
  readonly extra: readonly string[];
  /** Most leases at a time; what is beyond waits here. A batch of slices counts as one. */
  readonly maxSubmitted: number;
  /** Array tasks that the slices of one node are spread over. */
  readonly batches: number;
  /** Longest time between two looks at the queue. */
  readonly pollMs: number;
  /** Node.js on the compute nodes; the one that runs here when absent. */
  readonly node?: string;
  readonly transport: SlurmTransport;
  /** Folder of mixdown's package on compute nodes that share no disk; the one that runs here when absent. */
  readonly mixdown?: string;
}

export const defaultSlurmProfile: SlurmProfile = {
  extra: [],
  maxSubmitted: 500,
  batches: 32,
  pollMs: 30_000,
  transport: 'shared',
};
