import {textWidth} from '../../src/report/text-width.ts';

/**
 * A terminal in memory that understands what the live view writes: text, line feeds, carriage returns, cursor up, clear
 * to the end, cursor visibility. It folds long lines, and folds them anew when it is resized, as most terminals do.
 */
export class FakeTerminal {
  cursorVisible = true;
  /** Rows that left the screen at the top. */
  scrolled = 0;
  #columns: number;
  #rows: number;
  /** Whole lines as written, unfolded; the cursor is on the last row of the last one. */
  readonly #lines: string[] = [''];

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  size = (): {columns: number; rows: number} => ({columns: this.#columns, rows: this.#rows});

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
  }

  write = (text: string): void => {
    for (const [token] of text.matchAll(/\u001b\[[?0-9;]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) this.#take(token);
  };

  /** What is on the screen, without empty lines at the end. */
  screen(): string {
    return this.#lines.join('\n').trimEnd();
  }

  #take(token: string): void {
    if (token === '\n') {
      this.#lines.push('');
      const rows = this.#lines.reduce((sum, line) => sum + this.#rowsOf(line), 0);
      this.scrolled = Math.max(this.scrolled, rows - this.#rows);
      return;
    }
    if (token === '\r' || token === '\u001b[?2026h' || token === '\u001b[?2026l' || token === '\u001b[J') return;
    if (token === '\u001b[?25l') this.cursorVisible = false;
    else if (token === '\u001b[?25h') this.cursorVisible = true;
    else if (/^\u001b\[\d+A$/.test(token)) this.#up(Number(token.slice(2, -1)));
    else if (token.startsWith('\u001b')) throw new Error(`the terminal does not know ${JSON.stringify(token)}`);
    else this.#lines[this.#lines.length - 1] += token;
  }

  /** Up and, as the view always does next, clear to the end. */
  #up(rows: number): void {
    if (this.#lines.at(-1) !== '') throw new Error('the cursor was not at the start of a line');
    this.#lines.pop();
    let left = rows;
    while (left > 0) {
      const line = this.#lines.pop();
      if (line === undefined) throw new Error('the cursor left the screen at the top');
      left -= this.#rowsOf(line);
    }
    if (left < 0) throw new Error('only a part of a folded line was cleared');
    this.#lines.push('');
  }

  #rowsOf(line: string): number {
    return Math.max(1, Math.ceil(textWidth(line) / this.#columns));
  }
}
