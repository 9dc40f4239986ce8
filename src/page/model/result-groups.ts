import type {PageResult} from '../../report/page-data.ts';
import {variantText, type PageIndex} from './page-index.ts';

/** Results of one output of nodes of one name: shown once, with a choice of the variant. */
export interface ResultGroup {
  readonly key: string;
  readonly title: string;
  readonly variants: readonly ResultVariant[];
}

export interface ResultVariant {
  readonly label: string;
  readonly result: PageResult;
}

/** Groups of the results, in order of their first one. */
export function groupResults(index: PageIndex): readonly ResultGroup[] {
  const groups = new Map<string, PageResult[]>();
  for (const result of index.data.results) {
    const name = index.nodes.get(result.node)?.name ?? result.node;
    const key = `${name}.${result.output}.${result.kind}.${result.file}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  return [...groups].map(([key, results]) => ({
    key,
    title: titleOf(index, results),
    variants: results.map((result) => ({label: labelOf(index, result), result})),
  }));
}

function labelOf(index: PageIndex, result: PageResult): string {
  const node = index.nodes.get(result.node);
  return node === undefined ? result.node : variantText(index, node);
}

/** The title that all of them have; else the names of their node and output. */
function titleOf(index: PageIndex, results: readonly PageResult[]): string {
  const [first, ...rest] = results;
  if (first === undefined) return '';
  if (rest.every(({title}) => title === first.title)) return first.title;
  return `${index.nodes.get(first.node)?.name ?? first.node}: ${first.output}`;
}
