import {canonicalJson, type Json, type Scalar} from '../core/json.ts';
import type {Lineage, LineageInput, LineageStep, Origin} from '../core/lineage.ts';
import {scalarText, type NodeId} from '../core/pipeline.ts';
import {bytesText} from './bytes.ts';
import {countText, listText} from './count-text.ts';
import {durationText} from './duration.ts';
import type {Paint} from './paint.ts';
import {truncate} from './text-width.ts';

/** What a pipeline knows of the names in a lineage. */
export interface LineageNames {
  readonly variantOf: (node: NodeId) => Readonly<Record<string, Scalar>> | undefined;
  /** Values of the params that nobody sets. */
  readonly defaultsOf: (stage: string) => Readonly<Record<string, Json>>;
}

/** What is drawn as one box: steps of one node's variants or slices, or files of one source. */
interface Box {
  readonly steps: readonly LineageStep[];
  readonly inputs: readonly LineageInput[];
}

const mostNames = 6;
const mostParams = 12;
const widestValue = 60;

/** A tree from what was asked about to the sources. Variants of one node are one box, and a box is drawn once. */
export function lineageText(lineage: Lineage, names: LineageNames, paint: Paint): string {
  const {origin, steps} = lineage;
  const byId = new Map(steps.map((step) => [step.id, step]));
  const drawn = new Set<string>();
  const lines = headLines(lineage, paint);

  const draw = (box: Box, first: string, rest: string): void => {
    if (box.steps.length === 0) {
      lines.push(`${first}${leafText(box.inputs, paint)}`);
      return;
    }
    const title = `${first}${paint.bold(titleText(box.steps, names))}`;
    if (box.steps.every(({id}) => drawn.has(id))) {
      lines.push(`${title}${paint.dim(' (see above)')}`);
      return;
    }
    box.steps.forEach(({id}) => drawn.add(id));
    const children = childrenOf(box.steps, byId);
    lines.push(title);
    const bar = children.length > 0 ? '│  ' : '   ';
    lines.push(...detailLines(box.steps, names).map((line) => `${rest}${bar}${paint.dim(line)}`));
    children.forEach((child, index) => {
      const last = index === children.length - 1;
      draw(child, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
    });
  };
  const start = origin.from === 'node' ? byId.get(origin.step) : undefined;
  if (start) {
    lines.push('');
    draw({steps: [start], inputs: []}, '', '');
  }
  return lines.join('\n');
}

function headLines({file, digest, origin, also}: Lineage, paint: Paint): string[] {
  const lines: string[] = [];
  if (file) {
    const {path, artifact, changed} = file;
    const what = artifact.kind === 'tree' ? `folder, ${countText(artifact.files, 'file')}, ` : '';
    const size = artifact.kind === 'tree' ? artifact.bytes : artifact.digest.size;
    lines.push(`${paint.bold(path)}: ${what}${bytesText(size)}, sha256 ${short(artifact.digest.hash)}`);
    if (changed) {
      lines.push(paint.warn(`changed since run ${changed.runId} put it there: no run made the bytes that it has now`));
      lines.push(`what it was: sha256 ${short(changed.was.digest.hash)}`);
    }
  }
  lines.push(`${file ? '' : `sha256 ${short(digest.hash)}, `}${originText(origin)}`);
  if (also.length > 0) lines.push(paint.dim(`the same bytes: ${listText(also.map(placeText), mostNames)}`));
  return lines;
}

function originText(origin: Origin): string {
  if (origin.from !== 'node') return placeText(origin);
  const ages = {
    current: 'the result for the pipeline as it is now',
    last: 'the last result of a node that is stale now',
    earlier: 'a result of an earlier time',
  };
  return `${placeText(origin)}: ${ages[origin.age]}`;
}

function placeText(origin: Origin): string {
  switch (origin.from) {
    case 'node': {
      const {node, output, entry, step} = origin;
      return `${node ?? `result ${short(step)}`}.${output}${entry === undefined ? '' : `/${entry}`}`;
    }
    case 'source':
      return `source ${origin.source}${origin.entry === undefined ? ` (${origin.path})` : `: ${origin.entry}`}`;
    case 'unknown':
      return 'of no result on record and no source as it is now';
  }
}

/** Inputs of all the steps, one box for each node name and source, in the order in which the ports name them. */
function childrenOf(steps: readonly LineageStep[], byId: ReadonlyMap<string, LineageStep>): readonly Box[] {
  const boxes = new Map<string, {steps: Map<string, LineageStep>; inputs: Map<string, LineageInput>}>();
  for (const {inputs} of steps) {
    for (const input of inputs) {
      const step = input.from === 'node' ? byId.get(input.step) : undefined;
      const key = step ? `node ${nameOf(step)}` : `${input.from} ${input.from === 'source' ? input.source : ''}`;
      const box = boxes.get(key) ?? {steps: new Map(), inputs: new Map()};
      boxes.set(key, box);
      if (step) box.steps.set(step.id, step);
      else box.inputs.set(`${input.from === 'source' ? (input.entry ?? '') : ''} ${input.digest.hash}`, input);
    }
  }
  return [...boxes.values()].map((box) => ({steps: [...box.steps.values()], inputs: [...box.inputs.values()]}));
}

function leafText(inputs: readonly LineageInput[], paint: Paint): string {
  const [first, ...others] = inputs;
  if (!first) return '';
  const changed = inputs.filter((input) => input.from === 'source' && input.changed).length;
  const mark = changed === 0 ? '' : paint.warn(others.length > 0 ? `, ${changed} changed since` : ', changed since');
  if (others.length === 0) {
    return `${placeText(first)}, ${bytesOf(first)}sha256 ${short(first.digest.hash)}${mark}`;
  }
  if (first.from !== 'source') return `${countText(inputs.length, 'input')} ${placeText(first)}`;
  return `source ${first.source} (${first.path}): ${countText(inputs.length, 'file')}${mark}`;
}

/** The digest of a folder is that of its list, whose size says nothing. */
function bytesOf(input: LineageInput): string {
  return input.from === 'source' && input.entry !== undefined ? `${bytesText(input.digest.size)}, ` : '';
}

function nameOf({node, made, id}: LineageStep): string {
  return node?.replace(/\[.*/s, '') ?? made?.stage ?? id;
}

/** `train[fold=1|2|3,levels=h1], 3 variants`, in the way that a selection is written. */
function titleText(steps: readonly LineageStep[], names: LineageNames): string {
  const [first] = steps;
  if (!first) return '';
  const nodes = [...new Set(steps.map(({node}) => node))];
  const items = steps.flatMap(({slice}) => slice ?? []);
  const counts = [
    ...(nodes.length > 1 ? [countText(nodes.length, 'variant')] : []),
    ...(items.length === 1 ? [`item ${items[0]}`] : items.length > 1 ? [countText(items.length, 'item')] : []),
    ...(steps.length === 1 && first.slices !== undefined ? [countText(first.slices, 'slice')] : []),
    ...(first.node === undefined ? [`result ${short(first.id)}, node unknown`] : []),
  ];
  const title = nodes.length > 1 ? `${nameOf(first)}${axesText(nodes, names)}` : (first.node ?? nameOf(first));
  return [title, ...counts].join(', ');
}

function axesText(nodes: readonly (NodeId | undefined)[], {variantOf}: LineageNames): string {
  const axes = new Map<string, Set<string>>();
  for (const node of nodes) {
    for (const [axis, value] of Object.entries((node === undefined ? undefined : variantOf(node)) ?? {})) {
      const values = axes.get(axis) ?? new Set();
      axes.set(axis, values.add(scalarText(value)));
    }
  }
  const texts = [...axes].map(([axis, values]) => `${axis}=${values.size > mostNames ? '*' : [...values].join('|')}`);
  return texts.length === 0 ? '' : `[${texts.join(',')}]`;
}

function detailLines(steps: readonly LineageStep[], names: LineageNames): readonly string[] {
  const made = steps.flatMap((step) => step.made ?? []);
  if (made.length === 0) return ['its record is gone from the cache'];
  const distinct = (values: readonly string[]): string => listText([...new Set(values)], 3);
  const seeds = [...new Set(made.map(({seed}) => seed))];
  const lines = [
    `stage ${distinct(made.map(({stage}) => stage))}, code ${distinct(made.map(({code}) => short(code)))}` +
      (seeds.length > 1 ? `, ${seeds.length} seeds` : seeds[0] === 0 ? '' : `, seed ${seeds[0]}`),
  ];
  const params = paramTexts(made, names);
  if (params.length > 0) lines.push(listText(params, mostParams));
  const devices = made.map(({execution: {device}, toolchain: {engine}}) =>
    engine === undefined ? device : `${device} with ${engine}`,
  );
  const started = Math.min(...made.map(({execution}) => execution.startedAt));
  const wallMs = made.reduce((sum, {execution}) => sum + execution.wallMs, 0);
  const runs = distinct(made.map(({execution}) => execution.runId));
  const when = new Date(started).toISOString().replace(/\.\d+Z$/, 'Z');
  lines.push(
    `ran ${made.length > 1 ? 'from ' : ''}${when} in run ${runs}, ${durationText(wallMs)} on ${distinct(devices)}, ` +
      distinct(made.map(({execution}) => execution.host)),
  );
  return lines;
}

/** Params with another value than the stage gives by itself; of variants, the values that there are. */
function paramTexts(made: readonly NonNullable<LineageStep['made']>[], {defaultsOf}: LineageNames): readonly string[] {
  const values = new Map<string, Set<string>>();
  for (const {stage, params} of made) {
    if (typeof params !== 'object' || params === null || Array.isArray(params)) continue;
    const defaults = defaultsOf(stage);
    for (const [name, value] of Object.entries(params)) {
      const text = canonicalJson(value);
      if (Object.hasOwn(defaults, name) && canonicalJson(defaults[name]) === text) continue;
      values.set(name, (values.get(name) ?? new Set()).add(truncate(text, widestValue)));
    }
  }
  // A command is kept among the params under a name that no stage can declare.
  return [...values].map(
    ([name, texts]) => `${name.replace(/^\$/, '')}=${texts.size > mostNames ? '*' : [...texts].join('|')}`,
  );
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
