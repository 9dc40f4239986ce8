import type {FrameSize} from './live-frame.ts';
import {textWidth} from './text-width.ts';

/** A terminal as the live view needs it. `write` must reach the terminal before the process can die. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly size: () => FrameSize;
}

// Between the two, a terminal that knows them shows nothing half drawn; others ignore them.
const syncOn = '\u001b[?2026h';
const syncOff = '\u001b[?2026l';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

/**
 * Lines at the bottom of a terminal that are drawn over and over, and text that scrolls away above them. The cursor rests
 * at the start of the line below the window and is hidden while there is one.
 */
export class LiveWindow {
  readonly #terminal: Terminal;
  #lines: readonly string[] = [];
  #hidden = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Replaces the window's lines; writes nothing when they are the same. */
  draw(lines: readonly string[]): void {
    const same = lines.length === this.#lines.length && lines.every((line, index) => line === this.#lines[index]);
    if (!same) this.#redraw('', lines);
  }

  /** Prints whole lines above the window. */
  print(text: string): void {
    this.#redraw(text.endsWith('\n') ? text : `${text}\n`, this.#lines);
  }

  /** Removes the window and gives the cursor back. The window comes again with the next `draw`. */
  close(): void {
    if (!this.#hidden && this.#lines.length === 0) return;
    const erase = this.#erase();
    this.#lines = [];
    this.#hidden = false;
    this.#terminal.write(`${syncOn}${erase}${showCursor}${syncOff}`);
  }

  #redraw(above: string, lines: readonly string[]): void {
    const erase = this.#erase();
    const hide = this.#hidden || lines.length === 0 ? '' : hideCursor;
    this.#hidden ||= lines.length > 0;
    this.#lines = lines;
    const body = lines.map((line) => `${line}\n`).join('');
    this.#terminal.write(`${syncOn}${hide}${erase}${above}${body}${syncOff}`);
  }

  /** A terminal that became narrower has folded the lines that are on it, so they are counted at its width now. */
  #erase(): string {
    if (this.#lines.length === 0) return '';
    const columns = Math.max(1, this.#terminal.size().columns);
    const rows = this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
    return `\r\u001b[${rows}A\u001b[J`;
  }
}
