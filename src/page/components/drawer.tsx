import type {VNode} from 'preact';
import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import {GroupDetails} from './group-details.tsx';
import {NodeDetails} from './node-details.tsx';
import {usePage} from './page-context.tsx';

/** What the address opens over the page: a node, or the nodes of one name. Escape, the button and a step back close it. */
export function Drawer(): VNode | null {
  const {index, route, go} = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const {node, group} = route;
  const open = node !== undefined || group !== undefined;
  useLayoutEffect(() => {
    if (!open) return undefined;
    const from = document.activeElement;
    dialog.current?.showModal();
    // The dialog is gone without having been closed, so nothing else gives the focus back.
    return () => {
      if (from instanceof HTMLElement) from.focus();
    };
  }, [open]);
  useEffect(() => dialog.current?.scrollTo(0, 0), [node, group]);
  if (!open) return null;
  const close = (): void => go({node: undefined, group: undefined});
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-labelledby="drawer-title"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="drawer-body">
        <div class="drawer-head">
          <h2 id="drawer-title">{node ?? group}</h2>
          <button type="button" class="button" onClick={close}>
            <span aria-hidden="true">✕</span> Close
          </button>
        </div>
        {node === undefined ? (
          <GroupDetails group={index.groups.get(group ?? '')} />
        ) : (
          <NodeDetails node={index.nodes.get(node)} />
        )}
      </div>
    </dialog>
  );
}
