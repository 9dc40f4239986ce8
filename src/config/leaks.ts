import {isArray} from '../core/json.ts';
import type {Leak} from '../core/leaks.ts';
import {refsByPort, scalarText, type Pipeline, type PipelineNode} from '../core/pipeline.ts';
import type {NodeSection} from './document.ts';
import {flaggedParam} from './held-out.ts';
import type {Path, Problem} from './problem.ts';

/** Reports each leak at the binding where the wrong side comes in, with the path and what to write instead. */
export function reportLeaks(
  leaks: readonly Leak[],
  pipeline: Pipeline,
  sections: Readonly<Record<string, NodeSection>>,
  report: (problem: Problem) => void,
): void {
  for (const leak of leaks) {
    const {path, fold, more} = leak;
    const reader = path.at(-1)?.id ?? '';
    const way = path.map(({id}) => id).join(' -> ');
    const others = more === 0 ? '' : `; and so ${more === 1 ? 'does 1 more node' : `do ${more} more nodes`}`;
    report({
      code: 'leak',
      message: `\`${reader}\` holds out fold ${fold} and reads what has learned from it: ${way}${others}`,
      hint: hintFor(leak, pipeline),
      at: 'value',
      ...placeOf(leak, pipeline, sections),
    });
  }
}

/** What is to be changed in the text; of a list, the item where only one can be meant. */
function placeOf(
  {binding: {node, port, reads}, astray}: Leak,
  {stages}: Pipeline,
  sections: Readonly<Record<string, NodeSection>>,
): {readonly path: Path; readonly traced?: true} {
  if (astray) {
    const [param] = flaggedParam(stages[astray.node.stage]);
    return {path: ['nodes', astray.node.name, ...(param === undefined ? ['heldOut'] : ['params', param])]};
  }
  const {inputs = {}, each} = sections[node.name] ?? {};
  if (!Object.hasOwn(inputs, port)) {
    return {path: ['nodes', node.name, 'each', ...(typeof each === 'string' ? [] : [port])]};
  }
  const path = ['nodes', node.name, 'inputs', port];
  const written = inputs[port] ?? null;
  // Which variables and overrides chose the producer matters, which axes did does not.
  if (!isArray(written)) return {path, ...(written?.includes('${vars.') ? {traced: true} : {})};
  const naming = written.flatMap((text, index) => (/^[^[.\s]+/.exec(text)?.[0] === reads.name ? [index] : []));
  return {path: naming.length === 1 ? [...path, naming[0] as number] : path};
}

function hintFor({binding, fold, astray}: Leak, pipeline: Pipeline): string {
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
      return `read what holds out the same fold: \`${rightReference(binding, fold, pipeline)}\``;
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

/** `quantized[of=*,fold=${matrix.fold}].out`: what is read at the binding, but of the right fold. */
function rightReference(
  {node, port, reads, axis, readsAxis}: Leak['binding'],
  fold: string,
  {nodes}: Pipeline,
): string {
  const refs = refsByPort(node).find(([name]) => name === port)?.[1] ?? [];
  const ids = new Set(refs.map((ref) => (ref.from === 'node' ? ref.node : undefined)));
  const read = nodes.filter(({id, name}) => name === reads.name && ids.has(id));
  const own = ([name, text]: readonly [string, string]): boolean =>
    Object.hasOwn(node.variant, name) && String(node.variant[name]) === text;
  const parts = Object.entries(reads.variant).map(([name, value]) => {
    if (name === readsAxis) return `${name}=${axis !== undefined && own([axis, fold]) ? `\${matrix.${axis}}` : fold}`;
    if (read.some(({variant}) => variant[name] !== value)) return `${name}=*`;
    return `${name}=${own([name, String(value)]) ? `\${matrix.${name}}` : scalarText(value)}`;
  });
  const output = refs.find((ref) => ref.from === 'node' && ref.node === reads.id);
  const several = Object.keys(reads.outputs).length > 1;
  return `${reads.name}[${parts.join(',')}]${several && output?.from === 'node' ? `.${output.output}` : ''}`;
}
