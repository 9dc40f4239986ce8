import type {VNode} from 'preact';
import type {PageResult} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {ScrollBox} from '../components/scroll-box.tsx';
import {lineCount} from '../model/line-count.ts';

type TextResult = Extract<PageResult, {readonly kind: 'text'}>;

/** A text file as it is; a long one when it is asked for. */
export function TextView({result: {text, more}, title}: {readonly result: TextResult; readonly title: string}): VNode {
  const lines = lineCount(text);
  return (
    <details open={lines <= LINES_AT_ONCE}>
      <summary>
        {countText(lines, 'line')}
        {more > 0 && ` and ${countText(more, 'character')} more in the file`}
      </summary>
      <ScrollBox label={title}>
        <pre>{text}</pre>
      </ScrollBox>
    </details>
  );
}

const LINES_AT_ONCE = 12;
