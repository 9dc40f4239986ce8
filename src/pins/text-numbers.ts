import type {CompareForm} from '../core/compare.ts';
import type {Collector} from './collector.ts';

/** Forms that are text. */
export type TextForm = Exclude<CompareForm, 'npy' | 'npz' | 'safetensors'>;

/**
 * Reads a text piece by piece and gives the collector its numbers and the rest. Bytes are enough: in UTF-8 no part of
 * another letter looks like a digit or a quote.
 *
 * A word that is a number as a whole counts as one: `0.604`, `-1e-5`, and not the 2 of `fold2` or a date. What ends a word
 * depends on the form: in CSV a cell is one word.
 */
export class TextNumbers {
  readonly #collector: Collector;
  readonly #form: TextForm;
  #word: number[] = [];
  #tooLong = false;
  #quoted = false;
  #escaped = false;

  constructor(form: TextForm, collector: Collector) {
    this.#form = form;
    this.#collector = collector;
  }

  write(bytes: Uint8Array): void {
    // What is no number, gathered up to the next number.
    const rest = new Uint8Array(bytes.length + longestWord);
    let length = 0;
    const flush = (): void => {
      if (length > 0) this.#collector.form(rest.subarray(0, length));
      length = 0;
    };
    const endWord = (): void => {
      if (this.#word.length === 0) return;
      const value = this.#tooLong ? undefined : numberOf(this.#word);
      if (value === undefined) {
        if (length + this.#word.length > rest.length) flush();
        rest.set(this.#word, length);
        length += this.#word.length;
      } else {
        flush();
        this.#collector.form(mark);
        this.#collector.number(value);
      }
      this.#word = [];
    };
    for (const byte of bytes) {
      if (this.#isWord(byte)) {
        if (this.#word.length === longestWord) {
          this.#tooLong = true;
          endWord();
        }
        this.#word.push(byte);
        continue;
      }
      endWord();
      this.#tooLong = false;
      this.#follow(byte);
      if (this.#form === 'json' && !this.#quoted && isSpace(byte)) continue;
      if (length === rest.length) flush();
      rest[length++] = byte;
    }
    flush();
  }

  end(): void {
    // What was quoted to the end is not a word that could be a number.
    this.write(Uint8Array.of(newline));
  }

  #isWord(byte: number): boolean {
    if (this.#quoted) return false;
    return this.#form === 'csv' ? cellEnds[byte] === 0 : wordBytes[byte] === 1;
  }

  /** Keeps track of whether the next byte stands in a quoted text. */
  #follow(byte: number): void {
    if (this.#form === 'text') return;
    if (this.#escaped) {
      this.#escaped = false;
    } else if (this.#form === 'json' && this.#quoted && byte === backslash) {
      this.#escaped = true;
    } else if (byte === quote) {
      this.#quoted = !this.#quoted;
    }
  }
}

const [newline, quote, backslash] = [10, 34, 92];
const mark = Uint8Array.of(1);

/** No number is written with more letters. */
const longestWord = 64;

const cellEnds = setOf(',;\t\r\n"');
const wordBytes = setOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.+-');

function setOf(letters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (const letter of letters) set[letter.charCodeAt(0)] = 1;
  return set;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** Undefined for what is no number, or one that a double cannot tell from its neighbours, such as a long id. */
function numberOf(word: readonly number[]): number | undefined {
  const text = String.fromCharCode(...word).trim();
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) && !/^[-+]?\d{16,}$/.test(text) ? value : undefined;
}
