import {countText} from '../../report/count-text.ts';
import {nodesText, otherEngineText, troubleText} from '../../report/check-text.ts';
import type {Context} from '../context.ts';
import type {Kept} from './keeper.ts';
import {sameOptions} from '../same-options.ts';

/** What became of a lock: one line, and below it what drifted. */
export function keptText(kept: Kept, shown: string, {paint, globals}: Pick<Context, 'paint' | 'globals'>): string {
  const {pins, pinned, dropped, accepted, drifted, held, uncompared, otherEngine} = kept;
  const parts = [
    ...(pinned.length > 0 ? [`${pinned.length} pinned`] : []),
    ...(accepted.length > 0 ? [`${accepted.length} of them accepted`] : []),
    ...(dropped.length > 0 ? [`${dropped.length} dropped`] : []),
    ...(drifted.length > 0 ? [paint.bad(`${drifted.length} drifted`)] : []),
    ...(held.length > 0 ? [`${held.length} not pinned, as what they read has drifted`] : []),
  ];
  const others = pins.nodes.size - pinned.length;
  const all =
    parts.length === 0
      ? `${countText(pins.nodes.size, 'node')}, nothing changed`
      : [...parts, `${others} kept`].join(', ');
  const lines = [`${paint.bold(shown)}: ${all}`, ...otherEngineText([...uncompared.values()])];
  const [engine] = otherEngine.values();
  if (engine !== undefined) {
    const count = countText(otherEngine.size, 'node');
    lines.push(
      `not pinned: ${count} that another engine computed; to pin: mixdown run --engine ${engine}${sameOptions(globals)}`,
    );
  }
  const roots = drifted.filter(({follows}) => follows.length === 0);
  if (drifted.length > 0) {
    lines.push(troubleText(drifted, paint));
    if (roots.length < drifted.length) lines.push(`and ${countText(drifted.length - roots.length, 'node')} after them`);
    lines.push(
      paint.dim(
        `the pins stand; to take over what is new: ${acceptCommand(roots.map(({node}) => node))}${sameOptions(globals)}`,
      ),
    );
  }
  if (globals.verbose && pinned.length > 0) lines.push(`pinned: ${nodesText(pinned)}`);
  return lines.join('\n');
}

/** What to type to take over what drifted; all variants of a node together, as only those that drifted are taken over. */
export function acceptCommand(nodes: readonly string[]): string {
  const names = nodes.length === 1 ? nodes : [...new Set(nodes.map((node) => node.replace(/\[.*$/s, '')))];
  const accept = names.slice(0, mostNames).map((name) => `--accept ${/^[\w.-]+$/.test(name) ? name : `'${name}'`} `);
  return `mixdown run ${accept.join('')}${names.length > mostNames ? '… ' : ''}--reason 'why'`;
}

const mostNames = 4;
