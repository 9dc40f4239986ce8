import {isStaleReason, type AffectedNode, type AffectedReason, type SourceText} from '../core/affected.ts';
import type {Failure} from '../core/failure.ts';
import {countText, listText} from './count-text.ts';
import {entriesText, explainLines} from './explain-text.ts';
import {headline} from './failure-text.ts';
import {groupBy} from './group-by.ts';
import type {Paint} from './paint.ts';
import {textTable} from './table.ts';

/** What differs from a revision, as far as it is told to people. */
export interface AffectedParts {
  /** The revision as it was named, and its commit. */
  readonly since: string;
  readonly commit: string;
  /** Nodes that were looked at. */
  readonly total: number;
  readonly nodes: readonly AffectedNode[];
  readonly removed: readonly string[];
  /** Why nothing could be compared, so that every node counts as affected. */
  readonly trouble?: readonly Failure[];
}

/** Lines of reasons for one group of nodes; `explain` and `--json` have them all. */
const mostLines = 6;

/** The nodes that changed by themselves with their reasons; those that only follow are counted or, verbose, listed. */
export function affectedText(parts: AffectedParts, paint: Paint, verbose: boolean): string {
  const {since, commit, total, nodes, removed, trouble} = parts;
  const revision = `${since} (${commit.slice(0, 8)})`;
  if (trouble !== undefined) {
    const why = trouble[0] === undefined ? '' : `: ${problemText(trouble[0])}`;
    return `${paint.warn(`all ${countText(total, 'node')} affected`)}: there is no sound pipeline at ${revision} to compare with${why}`;
  }
  const gone = removed.length === 0 ? [] : [`gone since then: ${listText(gather(removed), verbose ? Infinity : 5)}`];
  if (nodes.length === 0) {
    return [
      `${paint.good('nothing is affected')} since ${revision}: ${countText(total, 'node')} as they were`,
      ...gone,
    ].join('\n');
  }
  const roots = nodes.filter(({root}) => root);
  const followers = nodes.filter(({root}) => !root);
  const counts = `${roots.length} changed, ${followers.length} ${followers.length === 1 ? 'follows' : 'follow'}`;
  const head = `${nodes.length} of ${countText(total, 'node')} affected since ${revision}: ${counts}`;
  const blocks = [head, rootTable(roots, paint, verbose)];
  const last = [...gone];
  if (followers.length > 0) {
    const shown = verbose ? followers.map(({node}) => node) : gather(followers.map(({node}) => node));
    last.unshift(`then ${followers.length === 1 ? 'follows' : 'follow'}: ${listText(shown, verbose ? Infinity : 6)}`);
  }
  if (last.length > 0) blocks.push(last.join('\n'));
  return blocks.join('\n\n');
}

/** The lines of a node's reasons, in the words of `explain`. */
function affectedLines(reasons: readonly AffectedReason[]): readonly string[] {
  return reasons.flatMap((reason): readonly string[] => {
    if (isStaleReason(reason)) return reason.kind === 'upstream' ? [] : explainLines([reason]);
    switch (reason.kind) {
      case 'node-added':
        return ['new: pipeline.yaml did not have it'];
      case 'binding-changed':
        return [`input ${reason.input}: ${bindingText(reason.before, reason.after)}`];
      case 'source-changed': {
        const {input, source, entries, declared} = reason;
        if (declared)
          return [`input ${input}: source ${source}: ${sourceText(declared.before)} -> ${sourceText(declared.after)}`];
        return [`input ${input}: source ${source}: ${entries === undefined ? 'changed' : entriesText(entries)}`];
      }
    }
  });
}

/** Variants of one node with the same reasons stand together. */
function rootTable(roots: readonly AffectedNode[], paint: Paint, verbose: boolean): string {
  const groups = groupBy(roots, ({node, name, reasons}) => {
    return verbose ? node : JSON.stringify([name, affectedLines(reasons)]);
  });
  const rows = [...groups.values()].flatMap((group) => {
    const [{node, name, reasons}] = group as [AffectedNode];
    const lines = affectedLines(reasons);
    const shown = lines.length > mostLines && !verbose ? lines.slice(0, mostLines - 1) : lines;
    const more = lines.length > shown.length ? [`and ${lines.length - shown.length} more; see --verbose`] : [];
    const label = group.length === 1 ? node : `${name} ×${group.length}`;
    return [...shown, ...more].map((line, index) => [`  ${index === 0 ? paint.bold(label) : ''}`, paint.dim(line)]);
  });
  return textTable([{title: ''}, {title: ''}], rows);
}

function bindingText(before: readonly string[], after: readonly string[]): string {
  if (before.length === 1 && after.length === 1) return `${before[0]} -> ${after[0]}`;
  const [was, is] = [new Set(before), new Set(after)];
  const added = after.filter((ref) => !was.has(ref));
  const gone = before.filter((ref) => !is.has(ref));
  const parts = [
    ...(added.length === 0 ? [] : [`${added.length} added (${listText(added, 3)})`]),
    ...(gone.length === 0 ? [] : [`${gone.length} gone (${listText(gone, 3)})`]),
  ];
  if (parts.length === 0) return 'the same artifacts in another order';
  const count = before.length === after.length ? '' : `${countText(before.length, 'artifact')} -> ${after.length}: `;
  return count + parts.join(', ');
}

function sourceText({path, include, exclude}: SourceText): string {
  const parts = [
    path,
    ...(include.length > 0 ? [include.join(' ')] : []),
    ...(exclude.length > 0 ? [`without ${exclude.join(' ')}`] : []),
  ];
  return parts.join(' ');
}

function problemText({message, diagnostics}: Failure): string {
  return headline(diagnostics?.[0]?.message ?? message);
}

/** `train[fold=1]`, `train[fold=2]`, `tables` -> `train ×2`, `tables`. */
function gather(nodes: readonly string[]): readonly string[] {
  return [...groupBy(nodes, (node) => node.replace(/\[.*/s, ''))].map(([name, group]) => {
    return group.length === 1 ? group[0]! : `${name} ×${group.length}`;
  });
}
