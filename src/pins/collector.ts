import {createHash} from 'node:crypto';
import type {CompareForm} from '../core/compare.ts';
import type {Sha256} from '../core/digest.ts';
import type {PinnedNumbers} from '../core/pins.ts';
import {Sketch} from './sketch.ts';

/** So many numbers are kept themselves; of more a sketch is. */
const mostValues = 64;

/** Takes an output's numbers and everything else apart as they are read. Its memory does not grow with them. */
export class Collector {
  readonly #form = createHash('sha256');
  readonly #sketch = new Sketch();
  readonly #values: number[] = [];

  /** @param as - part of the form, so that an output read in two ways is never taken for the same */
  constructor(as: CompareForm) {
    this.#form.update(`${as}\n`);
  }

  /** What must be the same. */
  form(bytes: Uint8Array | string): void {
    this.#form.update(bytes);
  }

  /** NaN and infinities are no numbers to compare: where they stand is part of the form. */
  number(value: number): void {
    if (!Number.isFinite(value)) {
      this.#form.update(`\n${value} at ${this.#sketch.count}\n`);
      this.number(0);
      return;
    }
    if (this.#values.length < mostValues) this.#values.push(value);
    this.#sketch.add(value);
  }

  end(as: CompareForm): PinnedNumbers {
    const {count} = this.#sketch;
    const form = this.#form.digest('hex') as Sha256;
    return count <= mostValues
      ? {as, form, count, values: this.#values}
      : {as, form, count, sketch: this.#sketch.sums()};
  }
}
