import type {Event, NodeFinished, RunFinished} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {NodeCheck} from '../core/pin-check.ts';
import {caseName, checkCase} from './check-cases.ts';
import {headline} from './failure-text.ts';
import {failureBody, type JunitCase, type JunitSuite} from './junit.ts';

/** Lines that are kept of what a node prints. */
const mostLines = 200;

/** What a run's nodes came to, for reports that are written at its end. */
export class RunCases {
  readonly #finished = new Map<NodeId, NodeFinished>();
  readonly #tails = new Map<NodeId, string[]>();
  readonly #warnings: string[] = [];
  #planned: readonly NodeId[] = [];
  #startedAt = 0;
  #end: RunFinished | undefined;
  #name = 'mixdown run';

  emit(event: Event): void {
    switch (event.type) {
      case 'run-started':
        this.#startedAt = event.at;
        this.#name = `mixdown run ${event.runId}`;
        return;
      case 'run-planned':
        this.#planned = event.nodes.map(({node}) => node);
        return;
      case 'node-log':
        this.#keep(event.node, event.slice, event.text);
        return;
      case 'node-finished':
        this.#finished.set(event.node, event);
        // Nobody asks what a node printed that did well.
        if (event.outcome !== 'failed') this.#tails.delete(event.node);
        return;
      case 'warning':
        this.#warnings.push(failureBody(event.failure));
        return;
      case 'run-finished':
        this.#end = event;
        return;
      default:
    }
  }

  /** The last lines that a failed node printed. */
  tailOf(node: NodeId): readonly string[] {
    return this.#tails.get(node) ?? [];
  }

  /** The nodes that failed, in the order in which they did. */
  get failed(): readonly NodeFinished[] {
    return [...this.#finished.values()].filter(({outcome}) => outcome === 'failed');
  }

  /** How the run ended; undefined before. */
  get end(): RunFinished | undefined {
    return this.#end;
  }

  get finished(): ReadonlyMap<NodeId, NodeFinished> {
    return this.#finished;
  }

  /**
   * Each planned node is a case: its name the class, its variant the case.
   *
   * @param checks - nodes that are not as they are pinned
   */
  suite(host: string, checks: readonly NodeCheck[]): JunitSuite {
    const pinned = new Map(checks.map((check) => [check.node, check]));
    return {
      name: this.#name,
      wallMs: this.#end?.wallMs ?? 0,
      startedAt: new Date(this.#startedAt).toISOString(),
      host,
      cases: this.#planned.map((node) => {
        const check = pinned.get(node);
        const own = this.#case(node);
        return check === undefined || own.trouble !== undefined ? own : {...own, ...checkCase(check)};
      }),
      notes: this.#warnings,
    };
  }

  #case(node: NodeId): JunitCase {
    const finished = this.#finished.get(node);
    const whole = {...caseName(node), wallMs: finished?.wallMs ?? 0};
    switch (finished?.outcome) {
      case 'up-to-date':
      case 'cached':
      case 'executed':
        return whole;
      case 'failed': {
        const {failure} = finished;
        const body = failure === undefined ? '' : failureBody(failure);
        const tail = this.tailOf(node);
        const text = tail.length === 0 ? body : `${body}\n\nlast output:\n${tail.join('\n')}`;
        const message = headline(failure?.message ?? 'failed');
        return {...whole, trouble: {kind: 'failure', type: failure?.code ?? 'stage-failed', message, text}};
      }
      case 'blocked':
        return {...whole, trouble: {kind: 'skipped', message: 'blocked: a node that it needs failed'}};
      case 'cancelled':
        return {...whole, trouble: {kind: 'skipped', message: 'cancelled: the run ended before it was done'}};
      case undefined:
        return {...whole, trouble: {kind: 'skipped', message: 'the run did not come to it'}};
    }
  }

  #keep(node: NodeId, slice: string | undefined, text: string): void {
    const lines = text.replace(/\n$/, '').split('\n');
    const named = slice === undefined ? lines : lines.map((line) => `${slice} | ${line}`);
    const tail = this.#tails.get(node) ?? [];
    // One push each: a job may print more lines at once than an argument list can hold.
    for (const line of named) tail.push(line);
    this.#tails.set(node, tail.slice(-mostLines));
  }
}
