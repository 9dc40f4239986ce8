import type {PageNode} from '../../report/page-data.ts';
import {OUTCOMES} from './outcome-words.ts';
import {textFilter} from './text-filter.ts';

/** The nodes with an outcome (any, where it is empty) and with the words; those to look at first in front. */
export function selectNodes(nodes: readonly PageNode[], outcome: string, words: string): readonly PageNode[] {
  const matches = textFilter(words);
  const chosen = nodes.filter(
    (node) => (outcome === '' || node.outcome === outcome) && (words === '' || matches(searchedText(node))),
  );
  const rank = new Map(OUTCOMES.map((name, index) => [name, Math.min(index, OUTCOMES.indexOf('executed'))]));
  return chosen.toSorted((a, b) => (rank.get(a.outcome) ?? 0) - (rank.get(b.outcome) ?? 0));
}

function searchedText(node: PageNode): string {
  const failure = node.failure === undefined ? '' : `${node.failure.code} ${node.failure.message}`;
  return [node.id, node.stage, node.outcome, node.device ?? '', failure, ...node.reasons].join(' ');
}
