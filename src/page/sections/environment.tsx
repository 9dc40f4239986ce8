import type {VNode} from 'preact';
import {CopyButton} from '../components/copy-button.tsx';
import {NodeLink} from '../components/node-link.tsx';
import {usePage} from '../components/page-context.tsx';
import {Section} from '../components/section.tsx';
import {useShown} from '../components/show-more.tsx';

/** How the run was started, and where it ran. */
export function EnvironmentSection(): VNode {
  const {index} = usePage();
  const {run} = index.data;
  const {shown: targets, more} = useShown(run.targets, 50);
  const facts = [
    ['Host', run.host],
    ['Seed', String(run.seed)],
    ['Jobs at once', String(run.jobs)],
    ...run.environment,
  ];
  return (
    <Section name="environment">
      <h3>Command</h3>
      <div class="command">
        <pre>{run.command}</pre>
        <CopyButton what="the command" text={run.command} />
      </div>
      <h3>Machine and versions</h3>
      <table class="pairs">
        <tbody>
          {facts.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Targets</h3>
      <ul class="targets">
        {targets.map((id) => (
          <li key={id}>{index.nodes.has(id) ? <NodeLink id={id} /> : id}</li>
        ))}
      </ul>
      {more}
    </Section>
  );
}
