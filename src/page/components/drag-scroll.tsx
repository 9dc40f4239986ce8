import type {RefObject} from 'preact';
import {useEffect} from 'preact/hooks';

/** Lets a mouse drag the content of a scrolling frame; fingers and pens scroll it by themselves. */
export function useDragScroll(frame: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const start = (event: PointerEvent): void => {
      if (event.pointerType !== 'mouse' || event.button !== 0 || isControl(event.target)) return;
      element.setPointerCapture(event.pointerId);
      element.classList.add('dragging');
    };
    const move = (event: PointerEvent): void => {
      if (element.hasPointerCapture(event.pointerId)) element.scrollBy(-event.movementX, -event.movementY);
    };
    const stop = (): void => element.classList.remove('dragging');
    element.addEventListener('pointerdown', start);
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', stop);
    return () => {
      element.removeEventListener('pointerdown', start);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('lostpointercapture', stop);
    };
  }, []);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a') !== null;
}
