import {heldOutOf, type HeldOut, type HeldOutUse} from '../core/held-out.ts';
import {isScalar, type Json, type JsonObject} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {StageDeclaration} from '../core/stage.ts';
import type {NodeSection} from './document.ts';
import {valueText} from './schema-problem.ts';
import {perVariant, toText, type Report, type Scope} from './scope.ts';
import type {Resolve} from './template.ts';

/** What a node says about its side of a cross-validation. */
type Side = Pick<PipelineNode, 'heldOut' | 'acceptLeak'>;

/** Reads which fold a node holds out, from its key `heldOut` or the param that its stage declares so, and `acceptLeak`. */
export function readSide(
  name: string,
  section: NodeSection,
  stage: StageDeclaration,
  resolve: Resolve,
  scope: Scope,
): (variant: Variant, params: JsonObject) => Side {
  const path = ['nodes', name];
  const [param, use] = flaggedParam(stage);
  const fold = perVariant(section.heldOut, [...path, 'heldOut'], resolve, scope, (value, report) =>
    toFold(value, [...path, 'heldOut'], report),
  );
  const reason = perVariant(section.acceptLeak, [...path, 'acceptLeak'], resolve, scope, (value, report) =>
    toReason(value, [...path, 'acceptLeak'], report),
  );
  if (fold && param !== undefined) {
    const message = `stage \`${stage.name}\` is told by its param \`${param}\` which fold is held out`;
    const hint = `remove \`heldOut\`, and set the param`;
    scope.report({code: 'bad-value', message, hint, path: [...path, 'heldOut'], at: 'key'});
  }
  if (!fold && !reason && param === undefined) return () => nothing;
  const known = new Map<unknown, HeldOut | undefined>();
  const heldOut = (value: Json | undefined, how: HeldOutUse): HeldOut | undefined => {
    if (value === undefined || typeof value === 'boolean' || !(value === null || isScalar(value))) return undefined;
    if (!known.has(value)) known.set(value, heldOutOf(value, how));
    return known.get(value);
  };
  return (variant, params) => {
    const side = fold
      ? heldOut(fold(variant), 'learns')
      : param === undefined
        ? undefined
        : heldOut(params[param], use);
    const acceptLeak = reason?.(variant);
    return {...(side ? {heldOut: side} : {}), ...(acceptLeak === undefined ? {} : {acceptLeak})};
  };
}

const nothing: Side = {};

/** The param of a stage whose value names the fold that is held out. */
export function flaggedParam(
  stage: StageDeclaration | undefined,
): readonly [string, HeldOutUse] | readonly [undefined, 'learns'] {
  for (const [param, {heldOut}] of Object.entries(stage?.params ?? {})) {
    if (heldOut !== undefined) return [param, heldOut];
  }
  return [undefined, 'learns'];
}

function toReason(value: Json, path: readonly string[], report: Report): string {
  const reason = toText(value, path, report);
  if (reason.trim() === '') {
    report({code: 'bad-value', message: '`acceptLeak` must be a text that says why', path, at: 'value', traced: true});
  }
  return reason;
}

function toFold(value: Json, path: readonly string[], report: Report): Json | undefined {
  if (value === null || typeof value === 'string' || (typeof value === 'number' && value >= 0)) return value;
  const message = `\`heldOut\` must be the fold that is held out, or 0 for none, not ${valueText(value)}`;
  report({code: 'bad-value', message, path, at: 'value', traced: true});
  return undefined;
}
