import type {VNode} from 'preact';
import {useState} from 'preact/hooks';

/** The head of a long list, and the button that makes it longer; the list starts anew when `of` changes. */
export function useShown<Item>(
  items: readonly Item[],
  step: number,
  of = '',
): {readonly shown: readonly Item[]; readonly more: VNode | null} {
  const [extent, setExtent] = useState({of, count: step});
  const count = extent.of === of ? extent.count : step;
  const rest = items.length - count;
  const grow = (to: number): void => setExtent({of, count: to});
  return {
    shown: rest > 0 ? items.slice(0, count) : items,
    more:
      rest > 0 ? (
        <div class="show-more">
          <button type="button" class="button" onClick={() => grow(count + step * 2)}>
            {rest <= step * 2 ? `Show the other ${rest}` : `Show ${step * 2} more of ${rest}`}
          </button>
        </div>
      ) : null,
  };
}
