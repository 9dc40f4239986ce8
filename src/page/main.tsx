import {render} from 'preact';
import type {PageData} from '../report/page-data.ts';
import {App} from './components/app.tsx';
import {drawForPrint} from './components/print-view.ts';
import {indexPage} from './model/page-index.ts';

const root = document.getElementById('app');
const text = document.getElementById('data')?.textContent;
if (root !== null && text !== undefined && text !== null) {
  const index = indexPage(JSON.parse(text) as PageData);
  const draw = (whole: boolean): void => render(<App index={index} whole={whole} />, root);
  draw(false);
  // `render` is done when it returns, which the printer needs.
  drawForPrint(draw);
}
