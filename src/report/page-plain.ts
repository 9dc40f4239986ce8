import {countText} from './count-text.ts';
import {durationText} from './duration.ts';
import {htmlText} from './html-text.ts';
import type {PageData, PageResult} from './page-data.ts';
import {countsText} from './summary.ts';

/** Characters, so that what is also in the data does not double the page. */
const mostCharacters = 300_000;
const mostRows = 100;

/** The outcome of a run and what its targets made as HTML that needs no script. */
export function pagePlain({project, run, nodes, results}: PageData): string {
  const facts = [run.outcome, countsText(run.counts), ...(run.wallMs === undefined ? [] : [durationText(run.wallMs)])];
  const blocks = [
    `<h1>${htmlText(project)}: run ${htmlText(run.id)}</h1>`,
    `<p>${htmlText(facts.join(', '))}. Started ${htmlText(run.startedAt)}: ${htmlText(run.command)}</p>`,
    ...nodes.flatMap(({id, failure}) =>
      failure === undefined || failure.code === 'blocked' || failure.code === 'cancelled'
        ? []
        : [`<h2>${htmlText(id)} failed</h2>`, `<pre>${htmlText(failure.message)}</pre>`],
    ),
  ];
  let characters = blocks.reduce((sum, block) => sum + block.length, 0);
  let left = 0;
  for (const result of results) {
    const content = run.targets.includes(result.node) ? plainResult(result) : undefined;
    characters += content?.length ?? 0;
    if (content === undefined || characters > mostCharacters) left++;
    else blocks.push(`<h2>${htmlText(result.title)}</h2>`, content);
  }
  if (left > 0) blocks.push(`<p>${countText(left, 'more result')} in pictures and tables, which need JavaScript.</p>`);
  return `<main>\n${blocks.join('\n')}\n</main>\n`;
}

function plainResult(result: PageResult): string | undefined {
  switch (result.kind) {
    case 'markdown':
      return `<pre>${htmlText(result.text)}</pre>`;
    case 'table': {
      const rows = result.rows.slice(0, mostRows);
      const more = result.rows.length - rows.length + result.more;
      return table(result.columns, rows) + (more > 0 ? `\n<p>${countText(more, 'more row')}</p>` : '');
    }
    case 'bars':
      return table(
        ['', result.unit],
        result.bars.map(({name, value}) => [name, String(value)]),
      );
    case 'confusion':
      return table(
        ['', ...result.classes],
        result.classes.map((name, row) => [name, ...(result.counts[row] ?? []).map(String)]),
      );
    case 'image':
    case 'curve':
    case 'text':
      return undefined;
  }
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${htmlText(cell)}</${tag}>`).join('')}</tr>`;
  const lines = [cells(columns, 'th'), ...rows.map((row) => cells(row, 'td'))];
  return `<div style="overflow-x:auto"><table>\n${lines.join('\n')}\n</table></div>`;
}
