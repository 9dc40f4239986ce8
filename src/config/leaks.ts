import {isArray} from '../core/json.ts';
import type {Leak} from '../core/leaks.ts';
import type {Pipeline} from '../core/pipeline.ts';
import type {NodeSection} from './document.ts';
import {flaggedParam} from './held-out.ts';
import {leakHint} from './leak-hint.ts';
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
    const {text, ...place} = placeOf(leak, pipeline, sections);
    report({
      code: 'leak',
      message: `\`${reader}\` holds out fold ${fold} and reads what has learned from it: ${way}${others}`,
      hint: leakHint(leak, text, pipeline),
      at: 'value',
      ...place,
    });
  }
}

/** What is to be changed, and the reference as it is written there; of a list, the item where only one can be meant. */
function placeOf(
  {binding: {node, port, reads}, astray}: Leak,
  {stages}: Pipeline,
  sections: Readonly<Record<string, NodeSection>>,
): {readonly path: Path; readonly text?: string; readonly traced?: true} {
  if (astray) {
    const [param] = flaggedParam(stages[astray.node.stage]);
    return {path: ['nodes', astray.node.name, ...(param === undefined ? ['heldOut'] : ['params', param])]};
  }
  const {inputs = {}, each} = sections[node.name] ?? {};
  if (!Object.hasOwn(inputs, port)) {
    const path = ['nodes', node.name, 'each'];
    return typeof each === 'string' ? {path, text: each} : {path: [...path, port], text: each?.[port] ?? ''};
  }
  const path = ['nodes', node.name, 'inputs', port];
  const written = inputs[port] ?? '';
  if (isArray(written)) {
    const naming = [...written.entries()].filter(([, text]) => /^[^[.\s]+/.exec(text)?.[0] === reads.name);
    const [[index, text] = [0, '']] = naming;
    return naming.length === 1 ? {path: [...path, index], text} : {path};
  }
  // It matters which variables and overrides chose the producer.
  return {path, text: written, ...(written.startsWith('${') ? {traced: true} : {})};
}
