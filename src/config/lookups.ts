import {didYouMean} from '../core/closest.ts';
import {isObject, type Json, type Scalar} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import {scalarText} from '../core/pipeline.ts';
import {distinctValues, standForList, walk, type Located, type Missing} from './member-steps.ts';
import {describeMissing, listed} from './missing-member.ts';
import type {Placeholder, Step} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import {fits, unfit, type Spot} from './template.ts';

/** The node whose axes choose members of variables. */
export interface Chooser {
  readonly name: string;
  readonly axes: readonly string[];
  readonly variants: readonly Variant[];
  /** The values that occur, for each axis. */
  readonly values: Readonly<Record<string, readonly Scalar[]>>;
}

/** A reference and where it stands. */
export interface Use {
  readonly placeholder: Placeholder;
  readonly path: Path;
  readonly spot: Spot;
}

type Report = (problem: Problem) => void;

/** What the steps of a reference find in each variant; undefined after reporting, at once, what members lack. */
export function followAll(
  {placeholder, path}: Use,
  start: Located,
  variants: readonly Variant[],
  report: Report,
): readonly (readonly Located[])[] | undefined {
  const found: (readonly Located[])[] = [];
  const missing = new Map<Step, Missing[]>();
  for (const variant of variants) {
    const walked = walk(start, placeholder.steps, variant);
    if ('found' in walked) {
      found.push(walked.found);
      continue;
    }
    const {step} = walked.missing;
    const before = missing.get(step);
    if (before) before.push(walked.missing);
    else missing.set(step, [walked.missing]);
  }
  let passed = variants.length;
  for (const step of placeholder.steps) {
    const lacks = missing.get(step);
    if (!lacks) continue;
    passed -= lacks.length;
    const text = describeMissing(lacks, passed > 0 || lacks.some(({others}) => others));
    const [first] = lacks;
    const from = step.kind === 'axis' ? ['nodes', String(path[1]), 'matrix', step.axis] : undefined;
    const sought = from && first?.name !== undefined ? {sought: {value: first.name, from}} : {};
    report({code: 'unknown-variable', ...text, path, at: 'value', span: step.span, ...sought});
  }
  if (missing.size > 0) return undefined;
  const mapping =
    placeholder.steps.at(-1)?.kind === 'all' ? found.flat().find(({value}) => isObject(value)) : undefined;
  if (!mapping) return found;
  report(listOfMappings(placeholder, mapping.value, path));
  return undefined;
}

/** Checks a reference through axes for all variants of a node. False after reporting what is wrong. */
export function checkChoices(use: Use, start: Located, node: Chooser, report: Report): boolean {
  const {placeholder, path, spot} = use;
  const {steps} = placeholder;
  const choices = choicesOf(use, node, report);
  const found = choices && followAll(use, start, choices, report);
  if (!found) return false;
  const wrong = choices.filter((_, index) => !fits(valueOf(found[index] ?? [], steps), spot));
  const [first] = wrong;
  if (!first) return true;
  const value = valueOf(found[choices.indexOf(first)] ?? [], steps);
  const problem = unfit(placeholder, value, path);
  report({...problem, message: `${problem.message} (where ${listed(wrong.map(choiceText))})`});
  return false;
}

/** The value that the found ones stand for together. */
export function valueOf(found: readonly Located[], steps: readonly Step[]): Json {
  return standForList(steps) ? distinctValues(found) : (found[0]?.value ?? null);
}

/** The problem of a reference through an axis in a place where no axis has a value; undefined for other references. */
export function axisMeansNothing({text, steps}: Placeholder, path: Path): Problem | undefined {
  const step = steps.find(({kind}) => kind === 'axis');
  if (step?.kind !== 'axis') return undefined;
  const where = placeName(path);
  const bracket = `[matrix.${step.axis}]`;
  const message = `\`${bracket}\` cannot stand in ${where}, where no axis has a value`;
  const every = text.replace(/\[\s*matrix\.[^\]]*\]/g, '[*]');
  const hint =
    where === 'a matrix' ? `\`${every}\` lists the values of all members` : 'look it up in the node that uses it';
  return {code: 'bad-reference', message, hint, path, at: 'value', span: step.span};
}

function placeName(path: Path): string {
  if (path[0] === 'vars') return 'a variable';
  if (path[0] === 'sources') return 'a source';
  if (path[0] === 'targets') return 'a target';
  return path[2] === 'matrix' ? 'a matrix' : 'the name of a stage';
}

/** The different values of the axes that a reference uses; undefined after reporting an axis that there is not. */
function choicesOf({placeholder, path}: Use, node: Chooser, report: Report): readonly Variant[] | undefined {
  const axes = new Set<string>();
  for (const step of placeholder.steps) {
    if (step.kind !== 'axis') continue;
    const {axis, span} = step;
    axes.add(axis);
    if (node.axes.includes(axis)) continue;
    const message = `node \`${node.name}\` has no axis \`${axis}\``;
    const hint = () => (node.axes.length === 0 ? 'the node has no matrix' : didYouMean(axis, node.axes));
    report({code: 'unknown-axis', message, hint, path, at: 'value', span});
    return undefined;
  }
  const [only = '', ...others] = axes;
  if (others.length === 0) return (node.values[only] ?? []).map((value) => ({[only]: value}));
  const choices = new Map<string, Variant>();
  for (const variant of node.variants) {
    const choice = [...axes].map((axis) => [axis, variant[axis] ?? ''] as const);
    const key = choice.map(([, value]) => scalarText(value)).join(',');
    if (!choices.has(key)) choices.set(key, Object.fromEntries(choice));
  }
  return [...choices.values()];
}

function choiceText(choice: Variant): string {
  return Object.entries(choice)
    .map(([axis, value]) => `${axis}=${scalarText(value)}`)
    .join(',');
}

function listOfMappings({text, steps}: Placeholder, value: Json, path: Path): Problem {
  const member = isObject(value) ? (Object.keys(value)[0] ?? 'NAME') : 'NAME';
  const message = `\`${text}\` stands for the members themselves, and they are mappings`;
  const hint = `name what you want of each: \`${text.replace(/\]\s*\}$/, `].${member}}`)}\``;
  return {code: 'bad-value', message, hint, path, at: 'value', span: steps.at(-1)?.span ?? [0, 0]};
}
