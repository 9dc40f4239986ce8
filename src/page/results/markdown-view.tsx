import type {ComponentChildren, VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import {ScrollBox} from '../components/scroll-box.tsx';
import {inlineText, type Inline} from '../model/markdown-inline.ts';
import {parseMarkdown, type Block, type MarkdownTable} from '../model/markdown.ts';

/** A Markdown file as text and tables. */
export function MarkdownView({text, title}: {readonly text: string; readonly title: string}): VNode {
  const blocks = useMemo(() => withoutTitle(parseMarkdown(text), title), [text, title]);
  return (
    <div class="markdown">
      {blocks.map((block, at) => (
        <BlockView key={at} block={block} title={title} />
      ))}
    </div>
  );
}

/** Without a first heading that only repeats the title above it. */
function withoutTitle(blocks: readonly Block[], title: string): readonly Block[] {
  const [first, ...rest] = blocks;
  const plain = (words: string): string => words.trim().toLowerCase();
  return first?.kind === 'heading' && plain(inlineText(first.text)) === plain(title) ? rest : blocks;
}

function BlockView({block, title}: {readonly block: Block; readonly title: string}): VNode {
  switch (block.kind) {
    case 'heading':
      return (
        <h4 class={`markdown-heading level-${block.level}`}>
          <Words pieces={block.text} />
        </h4>
      );
    case 'paragraph':
      return (
        <p>
          <Words pieces={block.text} />
        </p>
      );
    case 'list': {
      const items = block.items.map((item, at) => (
        <li key={at}>
          <Words pieces={item} />
        </li>
      ));
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'code':
      return (
        <ScrollBox label={title}>
          <pre>{block.text}</pre>
        </ScrollBox>
      );
    case 'rule':
      return <hr />;
    case 'table':
      return <TableBlock table={block} title={title} />;
  }
}

function TableBlock({table, title}: {readonly table: MarkdownTable; readonly title: string}): VNode {
  const style = (column: number): string => `align-${table.align[column] ?? 'left'}`;
  return (
    <ScrollBox label={title}>
      <table>
        <thead>
          <tr>
            {table.head.map((cell, column) => (
              <th key={column} scope="col" class={style(column)}>
                <Words pieces={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row" class={style(column)}>
                    <Words pieces={cell} />
                  </th>
                ) : (
                  <td key={column} class={style(column)}>
                    <Words pieces={cell} />
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Words({pieces}: {readonly pieces: readonly Inline[]}): VNode {
  return <>{pieces.map(wordsOf)}</>;
}

function wordsOf(piece: Inline, at: number): ComponentChildren {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'strong':
      return <strong key={at}>{piece.text}</strong>;
    case 'emphasis':
      return <em key={at}>{piece.text}</em>;
    case 'code':
      return <code key={at}>{piece.text}</code>;
    case 'link':
      return (
        <a key={at} href={piece.href} rel="noopener noreferrer">
          {piece.text}
        </a>
      );
  }
}
