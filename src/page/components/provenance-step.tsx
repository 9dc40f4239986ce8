import type {VNode} from 'preact';
import type {PageNode, PageStage} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {variantText} from '../model/page-index.ts';
import type {ProvenanceStep} from '../model/provenance.ts';
import {HashText} from './hash-text.tsx';
import {NodeLink} from './node-link.tsx';
import {usePage} from './page-context.tsx';
import {useShown} from './show-more.tsx';

/** The nodes of one name in a chain, with what they made, and the code of their stage. */
export function ProvenanceStepView({step}: {readonly step: ProvenanceStep}): VNode {
  const {index} = usePage();
  const stage = index.stages.get(step.stage);
  const {name, nodes} = step;
  return (
    <li class="step">
      <h4>
        <span class="step-kind">{nodes.length === 1 ? 'node' : countText(nodes.length, 'node')}</span> {name}
      </h4>
      {stage !== undefined && stage.summary !== '' && <p>{stage.summary}</p>}
      {nodes.length <= 3 ? (
        <Made nodes={nodes} />
      ) : (
        <details>
          <summary>Their outputs and digests</summary>
          <Made nodes={nodes} />
        </details>
      )}
      {stage !== undefined && <StageCode stage={stage} />}
    </li>
  );
}

function Made({nodes}: {readonly nodes: readonly PageNode[]}): VNode {
  const {index} = usePage();
  const {shown, more} = useShown(nodes, 30);
  return (
    <>
      <ul class="file-list">
        {shown.flatMap((node) =>
          node.outputs.map(({output, file, hash}) => (
            <li key={`${node.id} ${output}`}>
              <NodeLink id={node.id} label={variantText(index, node)} /> <code>{file}</code>
              <HashText hash={hash} of={`${node.id} ${file}`} />
            </li>
          )),
        )}
      </ul>
      {more}
    </>
  );
}

function StageCode({stage: {name, code, files, packages}}: {readonly stage: PageStage}): VNode {
  const versions = Object.entries(packages);
  return (
    <details>
      <summary>
        Code of stage <code>{name}</code>: {countText(files.length, 'file')}
        {versions.length > 0 && `, ${countText(versions.length, 'package')}`}
      </summary>
      <ul class="file-list">
        <li>
          all of it <HashText hash={code} of={`stage ${name}`} />
        </li>
        {files.map(({path, hash}) => (
          <li key={path}>
            <code>{path}</code> <HashText hash={hash} of={path} />
          </li>
        ))}
        {versions.map(([module, version]) => (
          <li key={module}>
            <code>{module}</code> {version}
          </li>
        ))}
      </ul>
    </details>
  );
}
