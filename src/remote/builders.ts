import {isObject, type Json} from '../core/json.ts';
import type {Builder} from '../core/origin.ts';

/** Longer texts are no names. */
const longest = 500;

/** Reads who somebody says he is; undefined unless it can be shown to people. */
export function builderOf(value: Json | undefined): Builder | undefined {
  if (!isObject(value) || !isShowable(value['name'])) return undefined;
  const {name, commit, job} = value;
  return {name, ...(isShowable(commit) ? {commit} : {}), ...(isShowable(job) ? {job} : {})};
}

/** One line of text that does nothing to a terminal. */
function isShowable(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= longest && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u.test(value);
}
