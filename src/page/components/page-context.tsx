import {createContext} from 'preact';
import {useContext} from 'preact/hooks';
import type {PageIndex} from '../model/page-index.ts';
import {changeRoute, routeHash, type Route, type RouteChange} from '../model/route.ts';

/** What every part of the page may ask: the data, where the reader is, and how to go elsewhere. */
export interface PageState {
  readonly index: PageIndex;
  readonly route: Route;
  /** Changes what is shown; a step back undoes it. */
  readonly go: (change: RouteChange) => void;
  /** Changes a filter: the address keeps it, the history does not grow. */
  readonly refine: (change: RouteChange) => void;
}

const Context = createContext<PageState | undefined>(undefined);

/** Gives the page's state to all parts inside. */
export const PageProvider = Context.Provider;

/** The page's state. */
export function usePage(): PageState {
  const state = useContext(Context);
  if (state === undefined) throw new Error('A part of the page is used outside of the page.');
  return state;
}

/** Address of the page with a change, for links. */
export function useHref(): (change: RouteChange) => string {
  const {route} = usePage();
  return (change) => routeHash(changeRoute(route, change));
}
