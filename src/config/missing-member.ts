import {closest, didYouMean} from '../core/closest.ts';
import {isArray, isObject} from '../core/json.ts';
import type {Located, Missing} from './member-steps.ts';
import type {Path, Problem} from './problem.ts';
import {valueText} from './schema-problem.ts';

/** What is missing, in words, and the place to put it right. */
export type MissingText = Pick<Problem, 'message' | 'hint' | 'related'>;

const shownLimit = 5;

/**
 * Says what one step of a reference could not find: all that fell short at that step, for any variant, at once.
 *
 * @param others - other values do have the member, so that it is hardly the reference that is mistyped
 */
export function describeMissing(missing: readonly Missing[], others: boolean): MissingText {
  const lacks = distinctLacks(missing);
  const [first] = lacks;
  if (!first) return {message: 'a member is missing'};
  const holders = [...new Set(lacks.map(({holder}) => memberText(holder.path)))];
  const names = [...new Set(lacks.map(({name}) => name))];
  const axis = missing[0]?.step.kind === 'axis' ? missing[0].step.axis : undefined;
  const hint = () => (others && !axis ? lackHint(first) : nameHint(first, axis));
  if (first.name === undefined) {
    const is = holders.length === 1 ? `is ${valueText(first.holder.value)}` : 'are neither mappings nor lists';
    return {message: `\`[*]\` stands for the members of a mapping or a list, and ${listed(holders)} ${is}`};
  }
  if (axis === undefined) {
    const message = `${listed(holders)} ${holders.length === 1 ? 'has' : 'have'} no member \`${first.name}\``;
    const mistyped = !others && nearest(first) !== undefined;
    const related = {message: `${listed(holders.slice(0, 1))} stands here`, path: first.holder.path};
    return {message, hint, ...(mistyped ? {} : {related})};
  }
  const asked = `asked for by the axis \`${axis}\``;
  if (holders.length === 1) {
    const message = `${listed(holders)} has no member${names.length === 1 ? '' : 's'} ${listed(names as string[])}`;
    return {message: `${message}, ${asked}`, hint};
  }
  const places = lacks.map(({holder, name}) => `${memberText(holder.path)}.${name}`);
  return {message: `there is no ${listed(places)}, ${asked}`, hint};
}

/** `\`a\`, \`b\` and 3 more`. */
export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, shownLimit).map((text) => `\`${text}\``);
  const rest = texts.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

interface Lack {
  readonly holder: Located;
  readonly name: string | undefined;
}

function distinctLacks(missing: readonly Missing[]): readonly Lack[] {
  const found = new Map<string, Lack>();
  for (const {holders, name} of missing)
    for (const holder of holders) found.set(JSON.stringify([holder.path, name]), {holder, name});
  return [...found.values()];
}

/** `experiments.A` for the place of a value, without `vars`. */
function memberText(path: Path): string {
  return path.slice(1).join('.');
}

/** For a name in a reference that may be mistyped. */
function nameHint(lack: Lack, axis: string | undefined): string | undefined {
  const {holder, name = ''} = lack;
  const near = nearest(lack);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  const known = axis !== undefined && isObject(holder.value) ? didYouMean(name, Object.keys(holder.value)) : undefined;
  return known === undefined ? lackHint(lack) : `${lackHint(lack)}; ${known}`;
}

/** For a value that lacks what its neighbours have. */
function lackHint(lack: Lack): string {
  const {holder, name = ''} = lack;
  const {value, path} = holder;
  const where = `\`${memberText(path)}\``;
  if (isArray(value)) return `${where} is a list of ${value.length}; its positions count from 0`;
  if (!isObject(value)) return `${where} is ${valueText(value)}`;
  const near = nearest(lack);
  return near === undefined
    ? `add \`${name}: …\` to ${where}`
    : `${where} has \`${near}\`: is it meant as \`${name}\`?`;
}

function nearest({holder: {value}, name = ''}: Lack): string | undefined {
  return isObject(value) ? closest(name, Object.keys(value)) : undefined;
}
