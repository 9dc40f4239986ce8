import type {VNode} from 'preact';
import type {PageNode, PageOutput} from '../../report/page-data.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {outputKey} from '../model/provenance.ts';
import {HashText} from './hash-text.tsx';
import {useHref} from './page-context.tsx';
import {Part} from './part.tsx';

/** What a node made, each with a way to what it was made from. */
export function NodeOutputs({node}: {readonly node: PageNode}): VNode | null {
  const href = useHref();
  if (node.outputs.length === 0) return null;
  return (
    <Part title="Outputs">
      <ul class="file-list">
        {node.outputs.map((made) => (
          <li key={made.output}>
            <b>{made.output}</b> <code>{made.file}</code> <span class="quiet">{sizeText(made)}</span>
            <span class="file-actions">
              <HashText hash={made.hash} of={made.output} />
              <a
                href={href({
                  section: 'provenance',
                  output: outputKey(node.id, made.output),
                  node: undefined,
                  group: undefined,
                })}
              >
                Provenance
              </a>
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function sizeText({bytes, files}: PageOutput): string {
  return files === undefined ? bytesText(bytes) : `${countText(files, 'file')}, ${bytesText(bytes)}`;
}
