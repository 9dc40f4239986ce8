import {canonicalJson, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {StaleReason} from '../core/reason.ts';

/** Takes the place of a value that is not to be published. */
const mask = '…';

/** What a command node runs is among its params, and with it the values of environment variables: only their names stay. */
export function maskParams(params: Json): Json {
  if (!isObject(params) || params['$command'] === undefined) return params;
  return {...params, $command: maskCommand(params['$command'])};
}

/** Reasons that quote no value of an environment variable. */
export function maskReasons(reasons: readonly StaleReason[]): readonly StaleReason[] {
  return reasons.map((reason) => {
    if (!('param' in reason) || reason.param !== '$command') return reason;
    switch (reason.kind) {
      case 'param-added':
        return {...reason, after: maskCommand(reason.after)};
      case 'param-removed':
        return {...reason, before: maskCommand(reason.before)};
      case 'param-changed':
        return maskChange(reason);
    }
  });
}

function maskChange(reason: StaleReason & {readonly kind: 'param-changed'}): StaleReason {
  const [before, after] = [maskCommand(reason.before), maskCommand(reason.after)];
  if (canonicalJson(before) !== canonicalJson(after)) return {...reason, before, after};
  const [was, is] = [envOf(reason.before), envOf(reason.after)];
  const names = Object.keys(is).filter((name) => is[name] !== was[name]);
  const changed = names.map((name) => `$${name}`).join(', ');
  return {...reason, before: `${changed}: ${mask}`, after: `${changed}: another value`};
}

function maskCommand(command: Json): Json {
  if (!isObject(command) || !isObject(command['env'])) return command;
  return {...command, env: Object.fromEntries(Object.keys(command['env']).map((name) => [name, mask]))};
}

function envOf(command: Json): JsonObject {
  return isObject(command) && isObject(command['env']) ? command['env'] : {};
}
