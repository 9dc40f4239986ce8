import type {VNode} from 'preact';
import {useId} from 'preact/hooks';

interface FilterBoxProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
  /** What the filter leaves, as a sentence; it is read out when it changes. */
  readonly result: string;
  readonly onChange: (text: string) => void;
}

/** A line of text that narrows a list down while one types. */
export function FilterBox({label, value, placeholder, result, onChange}: FilterBoxProps): VNode {
  const id = useId();
  return (
    <div class="filter-box">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <span class="filter-result" role="status">
        {result}
      </span>
    </div>
  );
}
