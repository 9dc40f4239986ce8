/** `1 node`, `3 nodes`; the plural adds an s unless given. */
export function countText(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** The list in full when short, else its head and how many more of `count` there are. */
export function listText(items: readonly string[], most: number, count = items.length): string {
  const shown = items.slice(0, most);
  const head = shown.join(', ');
  return shown.length < count ? `${head} and ${count - shown.length} more` : head;
}
