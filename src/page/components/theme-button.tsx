import type {VNode} from 'preact';
import {useEffect, useLayoutEffect, useState} from 'preact/hooks';

type Theme = 'light' | 'dark';

/** Fires on `document` when the colours have changed, for what is drawn and not styled. */
export const THEME_EVENT = 'themechange';

/** Switches between light and dark; until it is used, the reader's system decides. */
export function ThemeButton(): VNode {
  const [chosen, setChosen] = useState(rememberedTheme);
  const [system, setSystem] = useState(systemTheme);
  useEffect(() => {
    const query = matchMedia(DARK);
    const follow = (): void => setSystem(systemTheme());
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  useLayoutEffect(() => {
    if (chosen !== undefined) document.documentElement.dataset['theme'] = chosen;
    document.dispatchEvent(new Event(THEME_EVENT));
  }, [chosen, system]);
  const theme = chosen ?? system;
  const other = theme === 'dark' ? 'light' : 'dark';
  const choose = (): void => {
    setChosen(other);
    rememberTheme(other);
  };
  return (
    <button type="button" class="button theme-button" onClick={choose}>
      <span aria-hidden="true">{other === 'dark' ? '☾' : '☀'}</span> {other === 'dark' ? 'Dark theme' : 'Light theme'}
    </button>
  );
}

const DARK = '(prefers-color-scheme: dark)';
const KEY = 'mixdown-theme';

function systemTheme(): Theme {
  return matchMedia(DARK).matches ? 'dark' : 'light';
}

/** The choice of an earlier visit; browsers that keep nothing for a page throw here. */
function rememberedTheme(): Theme | undefined {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : undefined;
  } catch {
    return undefined;
  }
}

function rememberTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The choice holds while the page is open.
  }
}
