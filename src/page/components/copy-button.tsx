import type {VNode} from 'preact';
import {useState} from 'preact/hooks';

interface CopyButtonProps {
  /** What is copied, in words: it completes "Copy". */
  readonly what: string;
  readonly text: string;
  /** Shows only the sign; the words are its name. */
  readonly small?: boolean;
}

/** Puts a text on the clipboard and says whether it did. */
export function CopyButton({what, text, small = false}: CopyButtonProps): VNode {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('Not allowed here: select it and copy');
    }
  };
  return (
    <span class="copy">
      <button
        type="button"
        class={small ? 'button button-small' : 'button'}
        aria-label={`Copy ${what}`}
        onClick={() => void copy()}
        onBlur={() => setSaid('')}
      >
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <path class="copy-sign" d="M4.5 4.5v-3h8v8h-3M1.5 4.5h8v8h-8z" />
        </svg>
        {small ? '' : ` Copy ${what}`}
      </button>
      <span class="copy-said" role="status">
        {said}
      </span>
    </span>
  );
}
