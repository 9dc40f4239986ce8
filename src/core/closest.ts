/**
 * The candidate a reader most likely meant: smallest Damerau-Levenshtein distance (optimal string alignment), at most
 * a third of the word's length (at least 1), some letter in common, the first of equals. Case does not count.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const found = distance(wanted, candidate.toLowerCase());
    // Words without a letter in common are not alike, however short they are.
    if (found >= Math.max(word.length, candidate.length) && found > 0) continue;
    if (found > limit || (found === limit && best !== undefined)) continue;
    best = candidate;
    limit = found;
    if (found === 0) break;
  }
  return best;
}

/** The hint that goes with an unknown name: the nearest one, else the few there are. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates];
  const near = closest(word, known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  if (known.length === 0 || known.length > 20) return undefined;
  return `known: ${known.map((name) => `\`${name}\``).join(', ')}`;
}

/** The same for a value of an axis: of many that are all unlike it, the first few show what they look like. */
export function valueHint(word: string, values: Iterable<string>): string | undefined {
  const known = [...values];
  const shown = known.slice(0, 12).map((value) => `\`${value}\``);
  return (
    didYouMean(word, known) ??
    (known.length > 0 ? `known: ${shown.join(', ')} and ${known.length - 12} more` : undefined)
  );
}

/** Edits (insert, delete, replace, swap neighbours) between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({length: b.length + 1}, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
