import {THEME_EVENT} from './theme-button.tsx';

/** Has the whole page drawn in light colours while it is printed, as paper is, and as it was after that. */
export function drawForPrint(draw: (whole: boolean) => void): void {
  const {dataset} = document.documentElement;
  let shown: string | undefined;
  addEventListener('beforeprint', () => {
    shown = dataset['theme'];
    dataset['theme'] = 'light';
    draw(true);
    document.dispatchEvent(new Event(THEME_EVENT));
  });
  addEventListener('afterprint', () => {
    if (shown === undefined) delete dataset['theme'];
    else dataset['theme'] = shown;
    draw(false);
    document.dispatchEvent(new Event(THEME_EVENT));
  });
}
