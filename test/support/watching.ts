import type {ChildProcess} from 'node:child_process';
import {createInterface} from 'node:readline';
import type {Event} from '../../src/core/events.ts';
import type {Workspace} from './workspace.ts';

/** A `mixdown watch --json` that goes on. What it says is waited for, never slept for. */
export class Watching {
  readonly events: Event[] = [];
  readonly remarks: string[] = [];
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #over = false;
  #wake: () => void = () => {};

  constructor(workspace: Workspace, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    this.#child = workspace.start(['watch', '--json', ...args], env);
    createInterface({input: this.#child.stdout!}).on('line', (line) => {
      this.events.push(JSON.parse(line) as Event);
      this.#wake();
    });
    createInterface({input: this.#child.stderr!}).on('line', (line) => {
      this.remarks.push(line);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#over = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  press(keys: string): void {
    this.#child.stdin!.write(keys);
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** The next event that is like this, taken out with all before it. */
  async event<T extends Event['type']>(
    type: T,
    like: (event: Extract<Event, {type: T}>) => boolean = () => true,
  ): Promise<Extract<Event, {type: T}>> {
    const isIt = (event: Event): boolean => event.type === type && like(event as Extract<Event, {type: T}>);
    return (await this.#next(this.events, isIt, type)) as Extract<Event, {type: T}>;
  }

  /** The next remark that has this text, taken out with all before it. */
  remark(text: string): Promise<string> {
    return this.#next(this.remarks, (line) => line.includes(text), text);
  }

  /** Jobs that ran until the build's end, which is waited for. */
  async built(): Promise<string[]> {
    await this.event('run-started');
    const ran: string[] = [];
    for (;;) {
      const event = await this.#next(this.events, () => true, 'an event');
      if (event.type === 'slice-finished' && event.outcome === 'executed') ran.push(`${event.node}/${event.key}`);
      if (event.type === 'node-finished' && event.outcome === 'executed' && !event.slices) ran.push(event.node);
      if (event.type === 'run-finished') return ran.sort();
    }
  }

  async quit(): Promise<number | null> {
    this.press('q');
    return this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #next<T>(queue: T[], isIt: (each: T) => boolean, what: string): Promise<T> {
    for (;;) {
      const at = queue.findIndex(isIt);
      if (at >= 0) return queue.splice(0, at + 1)[at]!;
      if (this.#over) throw new Error(`it ended before ${what}:\n${this.remarks.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
