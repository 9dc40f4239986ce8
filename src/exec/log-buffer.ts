/** Keeps the beginning and the end of what a job prints. Sizes are in UTF-16 units, close to bytes. */
export interface LogBuffer {
  /** Adds whole lines, without the last newline. */
  add(lines: string): void;
  /** Everything kept, each line ended by a newline; a note stands where the middle was dropped. */
  text(): string;
  lastLines(count: number): readonly string[];
}

export function createLogBuffer(limit = 1024 * 1024): LogBuffer {
  const half = Math.floor(limit / 2);
  let head = '';
  let headFull = false;
  let tail: string[] = [];
  let tailSize = 0;
  let dropped = 0;

  const trim = (): void => {
    let first = 0;
    while (tailSize > half && first < tail.length - 1) {
      const size = tail[first]?.length ?? 0;
      tailSize -= size;
      dropped += size;
      first++;
    }
    if (first > 0) tail = tail.slice(first);
    const only = tail[0];
    if (tail.length === 1 && only !== undefined && only.length > half) {
      dropped += only.length - half;
      tail = [only.slice(-half)];
      tailSize = half;
    }
  };

  const text = (): string => {
    trim();
    const note = dropped > 0 ? `\n... ${dropped} characters left out ...\n` : '';
    return head + note + tail.join('');
  };

  return {
    add(lines) {
      let text = `${lines}\n`;
      if (!headFull) {
        const room = half - head.length;
        head += text.slice(0, room);
        if (text.length <= room) return;
        headFull = true;
        text = text.slice(room);
      }
      tail.push(text);
      tailSize += text.length;
      // Trimming a long list for every line would be quadratic; twice the size is a fair price.
      if (tailSize > 2 * half) trim();
    },
    text,
    lastLines(count) {
      const all = text().trimEnd();
      return all === '' ? [] : all.split('\n').slice(-count);
    },
  };
}
