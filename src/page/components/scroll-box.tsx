import type {ComponentChildren, VNode} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';

/** What may be wider than the page, or long, scrolls in here; the keyboard reaches it when there is something to scroll. */
export function ScrollBox({label, children}: {readonly label: string; readonly children: ComponentChildren}): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void =>
      setScrolls(element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
    const observer = new ResizeObserver(look);
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  return scrolls ? (
    <div class="scroll-box" ref={box} role="region" aria-label={`${label}, scrolls`} tabIndex={0}>
      {children}
    </div>
  ) : (
    <div class="scroll-box" ref={box}>
      {children}
    </div>
  );
}
