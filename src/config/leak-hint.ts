import type {Leak} from '../core/leaks.ts';
import type {Pipeline, PipelineNode} from '../core/pipeline.ts';
import {flaggedParam} from './held-out.ts';

/**
 * What to write so that nothing leaks.
 *
 * @param written - the reference as it stands in the text, where it is known
 */
export function leakHint({binding, fold, astray}: Leak, written: string | undefined, pipeline: Pipeline): string {
  if (astray) {
    const {id, heldOut, variant} = astray.node;
    const held = heldOut?.fold === '' ? 'nothing' : `fold ${heldOut?.fold ?? ''}`;
    const named = `its axis \`${astray.axis}\` is ${variant[astray.axis] ?? ''}`;
    return `\`${id}\` holds out ${held}, and ${named}: write \`${settingOf(astray.node, astray.axis, pipeline)}\``;
  }
  const {reads, readsAxis} = binding;
  const accept = `say in \`${reads.name}\` why others may read it: \`acceptLeak: reason\``;
  if (readsAxis !== undefined) {
    const values = pipeline.axes[reads.name]?.[readsAxis] ?? [];
    if (values.some((value) => String(value) === fold)) {
      const right = corrected(binding, fold, written) ?? `${reads.name}[…${readsAxis}=${foldText(binding, fold)}…]`;
      return `read what holds out the same fold: \`${right}\``;
    }
    return `give \`${reads.name}\` a variant with \`${readsAxis}=${fold}\` to read, or ${accept}`;
  }
  if (reads.heldOut?.use === 'learns') {
    const setting = settingOf(reads, 'fold', pipeline);
    return `let \`${reads.name}\` hold folds out, by an axis \`fold\` and \`${setting}\`, or ${accept}`;
  }
  return `give \`${reads.name}\` an axis \`fold\` and make each variant from what holds out its fold, or ${accept}`;
}

/** How a node says which fold it holds out: by a param of its stage or by its key. */
function settingOf({stage}: PipelineNode, axis: string, {stages}: Pipeline): string {
  const [param] = flaggedParam(stages[stage]);
  const value = `'\${matrix.${axis}}'`;
  return param === undefined ? `heldOut: ${value}` : `params: {${param}: ${value}}`;
}

/** The fold as the node that reads can write it. */
function foldText({node, axis}: Leak['binding'], fold: string): string {
  return axis !== undefined && String(node.variant[axis]) === fold ? `\${matrix.${axis}}` : fold;
}

/** The reference as it is written, with another fold. */
function corrected(binding: Leak['binding'], fold: string, written = ''): string | undefined {
  // A reference in braces may hold brackets of its own.
  const value = new RegExp(`(?<=[[,]\\s*${binding.readsAxis ?? ''}\\s*=\\s*)(?:\\$\\{[^}]*\\}|"[^"]*"|[^,\\]])*`);
  return value.test(written) ? written.replace(value, () => foldText(binding, fold)) : undefined;
}
