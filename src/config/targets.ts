import {didYouMean} from '../core/closest.ts';
import {isArray, type Json} from '../core/json.ts';
import type {NodeId, Source} from '../core/pipeline.ts';
import {parseReference} from '../core/reference.ts';
import {selectVariants} from '../core/variant-selector.ts';
import type {Problem} from './problem.ts';
import type {Producer} from './references.ts';
import {valueText} from './schema-problem.ts';
import {variablesOnly} from './scope.ts';
import {compileTemplate, mayRefer} from './template.ts';
import type {Variables} from './variables.ts';

/** Target groups with their members as node ids, each once, in the order written. */
export function readTargets(
  groups: Readonly<Record<string, readonly string[]>>,
  producers: ReadonlyMap<string, Producer>,
  sources: Readonly<Record<string, Source>>,
  variables: Variables,
  report: (problem: Problem) => void,
): Record<string, readonly NodeId[]> {
  const targets: Record<string, readonly NodeId[]> = {};
  for (const [group, members] of Object.entries(groups)) {
    const ids = new Set<NodeId>();
    members.forEach((member, index) => {
      const path = ['targets', group, index];
      const found = compileTemplate(member, path, variablesOnly(variables, report), report);
      if (found?.kind !== 'constant') return;
      for (const text of isArray(found.value) ? found.value : [found.value]) {
        const complain = (problem: Pick<Problem, 'code' | 'message' | 'hint' | 'span' | 'sought'>) => {
          const {span, ...rest} = problem;
          report({...rest, ...(span && !mayRefer(member) ? {span} : {}), path, at: 'value', traced: true});
        };
        for (const id of select(text, producers, sources, complain)) ids.add(id);
      }
    });
    targets[group] = [...ids];
  }
  return targets;
}

function select(
  text: Json,
  producers: ReadonlyMap<string, Producer>,
  sources: Readonly<Record<string, Source>>,
  complain: (problem: Pick<Problem, 'code' | 'message' | 'hint' | 'span' | 'sought'>) => void,
): readonly NodeId[] {
  if (typeof text !== 'string') {
    complain({code: 'bad-value', message: `a target must be a text, not ${valueText(text)}`});
    return [];
  }
  const parsed = parseReference(text);
  if (!parsed.ok) {
    const {message, start, end} = parsed.error;
    complain({code: 'bad-reference', message: `\`${text}\` is not a target: ${message}`, span: [start, end]});
    return [];
  }
  const {name, output} = parsed.value;
  const producer = producers.get(name);
  if (!producer) {
    const source = Object.hasOwn(sources, name);
    const message = source ? `\`${name}\` is a source: there is nothing to build` : `there is no node \`${name}\``;
    const hint = () => didYouMean(name, producers.keys());
    complain({code: 'unknown-target', message, ...(source ? {} : {hint}), span: [0, name.length]});
    return [];
  }
  const {variants, outputs} = producer;
  if (variants.broken || !outputs) return [];
  if (output !== undefined && !Object.hasOwn(outputs, output)) {
    const hint = () => didYouMean(output, Object.keys(outputs));
    complain({code: 'unknown-output', message: `\`${name}\` has no output \`${output}\``, hint});
    return [];
  }
  const selected = selectVariants(parsed.value, {name, ...variants}, 'all');
  if (selected.ok) return selected.value.indices.map((index) => variants.ids[index] ?? name);
  const {code, message, hint, value, start, end} = selected.error;
  const span = start === undefined || end === undefined ? {} : {span: [start, end] as const};
  complain({code, message, ...(hint ? {hint} : {}), ...span, ...(value === undefined ? {} : {sought: {value}})});
  return [];
}
