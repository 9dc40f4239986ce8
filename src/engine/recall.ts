import type {NodeId} from '../core/pipeline.ts';

/** Ends a run whose plan is out of date: what became useless is cancelled, what did not runs to its end. */
export class Recall {
  readonly #halt = new AbortController();
  readonly #jobs = new Map<NodeId, AbortController>();
  readonly #outdated = new Set<NodeId>();

  /** Aborted when nothing new may start. */
  get halt(): AbortSignal {
    return this.#halt.signal;
  }

  /** Aborted when what this node makes is of no use any more. */
  cancelOf(node: NodeId): AbortSignal {
    let job = this.#jobs.get(node);
    if (!job) {
      job = new AbortController();
      if (this.#outdated.has(node)) job.abort();
      this.#jobs.set(node, job);
    }
    return job.signal;
  }

  /** May be called again with more nodes while those that are kept still run. */
  recall(outdated: Iterable<NodeId>): void {
    for (const node of outdated) {
      this.#outdated.add(node);
      this.#jobs.get(node)?.abort();
    }
    this.#halt.abort();
  }
}
