import type {VNode} from 'preact';
import type {PageSource} from '../../report/page-data.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {HashText} from './hash-text.tsx';

/** A source at the end of a chain: the file or folder that was there before. */
export function SourceCard({source: {name, path, bytes, files, hash}}: {readonly source: PageSource}): VNode {
  return (
    <li class="step step-source">
      <h4>
        <span class="step-kind">source</span> {name}
      </h4>
      <p>
        <code>{path}</code>
        {files !== undefined && <span class="quiet">{countText(files, 'file')}</span>}
        {bytes !== undefined && <span class="quiet">{bytesText(bytes)}</span>}
        {hash !== undefined && <HashText hash={hash} of={path} />}
      </p>
    </li>
  );
}
