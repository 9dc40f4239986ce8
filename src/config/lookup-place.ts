import type {Variant} from '../core/matrix.ts';
import {standForList} from './member-steps.ts';
import type {Placeholder} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import type {Template} from './template.ts';
import type {Variables} from './variables.ts';

type Report = (problem: Problem) => void;

/** Reports of the variants of one value. */
export type ReportOf = (variant: Variant) => Report;

/**
 * Reports what is wrong with a value that was looked up in `vars` where it stands there, so that each wrong line is shown
 * once, however many variants choose it. What is wrong with a text made of such values is said with the variant.
 */
export function reportsAtSource(template: Template, node: string, variables: Variables, report: Report): ReportOf {
  const leaves = leavesOf(template);
  if (leaves.length === 0) return () => report;
  return (variant) => (problem) => {
    const leaf = leaves.find(({path}) => path.every((part, at) => part === problem.path[at]));
    if (!leaf?.whole) return report(leaf ? {...problem, variant: pick(variant, leaf.axes)} : problem);
    const {span: _, ...rest} = problem;
    report({
      ...rest,
      message: `${problem.message} (through ${leaf.whole.text} in node \`${node}\`)`,
      path: [...variables.lookUp(leaf.whole, variant).path, ...problem.path.slice(leaf.path.length)],
      traced: true,
    });
  };
}

/** A text with looked-up pieces, or (`whole`) a value that is looked up as it is. */
interface Leaf {
  readonly path: Path;
  /** Axes that choose the pieces. */
  readonly axes: readonly string[];
  readonly whole?: Placeholder;
}

function leavesOf(template: Template): readonly Leaf[] {
  switch (template.kind) {
    case 'constant':
      return [];
    case 'whole': {
      const {path, placeholder} = template;
      if (placeholder.parts[0] !== 'vars') return [];
      const axes = axesOf(placeholder);
      return [standForList(placeholder.steps) ? {path, axes} : {path, axes, whole: placeholder}];
    }
    case 'text': {
      const axes = template.pieces.flatMap((piece) => (typeof piece === 'string' ? [] : axesOf(piece)));
      return axes.length > 0 ? [{path: template.path, axes}] : [];
    }
    case 'list':
      return template.items.flatMap(leavesOf);
    case 'map':
      return template.entries.flatMap(([, member]) => leavesOf(member));
  }
}

function axesOf({steps}: Placeholder): readonly string[] {
  return steps.flatMap((step) => (step.kind === 'axis' ? [step.axis] : []));
}

function pick(variant: Variant, axes: readonly string[]): Variant {
  return Object.fromEntries(Object.entries(variant).filter(([axis]) => axes.includes(axis)));
}
