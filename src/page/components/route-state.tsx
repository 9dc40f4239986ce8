import {useEffect, useMemo, useState} from 'preact/hooks';
import {changeRoute, parseRoute, routeHash, type Route, type RouteChange} from '../model/route.ts';
import type {PageState} from './page-context.tsx';

/** The route, kept in the address: links, the back button and typed addresses change it as `go` does. */
export function useRoute(): Pick<PageState, 'route' | 'go' | 'refine'> {
  const [route, setRoute] = useState<Route>(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('hashchange', follow);
    };
  }, []);
  const moves = useMemo(() => {
    const move = (change: RouteChange, keep: 'pushState' | 'replaceState'): void => {
      const next = changeRoute(parseRoute(location.hash), change);
      history[keep](null, '', routeHash(next));
      setRoute(next);
    };
    return {
      go: (change: RouteChange) => move(change, 'pushState'),
      refine: (change: RouteChange) => move(change, 'replaceState'),
    };
  }, []);
  return {route, ...moves};
}
