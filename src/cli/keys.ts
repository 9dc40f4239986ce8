/**
 * Tells each key that is typed, as its character. On a terminal no Enter is needed, and Ctrl-C and Ctrl-Z do what they do
 * elsewhere. Returns the way to stop listening, which gives the terminal back as it was.
 */
export function listenForKeys(onKey: (key: string) => void): () => void {
  const {stdin} = process;
  const raw = (on: boolean): void => void (stdin.isTTY && stdin.setRawMode(on));
  const resume = (): void => raw(true);
  const give = (): void => raw(false);
  const listen = (text: string): void => {
    for (const key of text) {
      if (key === '\u0003') process.emit('SIGINT');
      else if (key === '\u001a') {
        give();
        process.kill(process.pid, 'SIGTSTP');
      } else onKey(key);
    }
  };
  // Nobody types: a terminal that went away, or a closed pipe.
  const ignore = (): void => {};
  raw(true);
  stdin.setEncoding('utf8').on('data', listen).on('error', ignore);
  process.on('SIGCONT', resume);
  process.on('exit', give);
  return () => {
    give();
    stdin.off('data', listen).off('error', ignore).pause();
    process.off('SIGCONT', resume);
    process.off('exit', give);
  };
}
