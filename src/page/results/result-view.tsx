import type {VNode} from 'preact';
import type {PageResult} from '../../report/page-data.ts';
import {BarsView} from './bars-view.tsx';
import {ConfusionView} from './confusion-view.tsx';
import {CurveView} from './curve-view.tsx';
import {MarkdownView} from './markdown-view.tsx';
import {TableView} from './table-view.tsx';
import {TextView} from './text-view.tsx';

/** A result in the form that its kind has. */
export function ResultView({result, title}: {readonly result: PageResult; readonly title: string}): VNode {
  switch (result.kind) {
    case 'markdown':
      return <MarkdownView text={result.text} title={title} />;
    case 'table':
      return <TableView result={result} title={title} />;
    case 'image':
      return <img class="picture" src={result.src} alt={result.alt} />;
    case 'curve':
      return <CurveView key={result.node} result={result} title={title} />;
    case 'confusion':
      return <ConfusionView result={result} title={title} />;
    case 'bars':
      return <BarsView result={result} title={title} />;
    case 'text':
      return <TextView result={result} title={title} />;
  }
}
