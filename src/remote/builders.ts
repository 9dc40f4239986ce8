import {isObject, type Json} from '../core/json.ts';
import type {Builder} from '../core/origin.ts';
import {isShowable} from './showable.ts';

/** Reads who somebody says he is; undefined unless it can be shown to people. */
export function builderOf(value: Json | undefined): Builder | undefined {
  if (!isObject(value) || !isShowable(value['name'])) return undefined;
  const {name, commit, job} = value;
  return {name, ...(isShowable(commit) ? {commit} : {}), ...(isShowable(job) ? {job} : {})};
}
