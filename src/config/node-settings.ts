import {didYouMean} from '../core/closest.ts';
import {defaultSlurmProfile, isExecutorName, type ExecutorName, type SlurmProfile} from '../core/executor.ts';
import {isObject, type Json} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import type {Resources} from '../core/resources.ts';
import {nodeSeed} from '../core/seed.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {engineNames, isEngineName, type EngineName} from '../core/tensor-engine.ts';
import type {NodeSection, SlurmSection, StageNodeSection} from './document.ts';
import type {Path, Problem} from './problem.ts';
import {valueText} from './schema-problem.ts';
import {perVariant, toText, type PerVariant, type Report, type Scope} from './scope.ts';
import type {Resolve} from './template.ts';

/** What a node says about how it runs, apart from what it computes. */
export interface NodeSettings {
  readonly resources: Resources;
  readonly timeoutMs?: number;
  readonly retries: number;
  readonly salt: string;
  readonly executor?: ExecutorName;
}

const settingNames = ['resources', 'timeout', 'retries', 'salt', 'executor'];

/** Reads resources, timeout, retries, salt and executor; the stage's own resources fill what the node leaves open. */
export function readSettings(
  name: string,
  section: NodeSection,
  declared: Resources,
  resolve: Resolve,
  scope: Scope,
): PerVariant<NodeSettings> {
  const plain = {resources: declared, retries: 0, salt: scope.salt};
  if (!settingNames.some((setting) => setting in section)) return () => plain;
  const path = ['nodes', name];
  const read = <T>(
    key: keyof NodeSection,
    convert: (value: Json, at: Path, report: Report) => T,
  ): PerVariant<T> | undefined => {
    const value = section[key] as Json | undefined;
    const at = [...path, key];
    return perVariant(value, at, resolve, scope, (found, report) => convert(found, at, report));
  };
  const resources = read('resources', (value, at, report) => toResources(value, declared, at, report));
  const timeout = read('timeout', (value, at, report) => toMilliseconds(value, at, report));
  const retries = read('retries', (value, at, report) => {
    const wanted = 'a whole number, 0 ... 100';
    return checked(value, at, wanted, report, (n) => Number.isInteger(n) && n >= 0 && n <= 100) ?? 0;
  });
  const salt = read('salt', (value, at, report) => toText(value, at, report));
  const executor = read('executor', toExecutor);
  return (variant) => {
    const timeoutMs = timeout?.(variant);
    const where = executor?.(variant);
    return {
      resources: resources?.(variant) ?? declared,
      ...(timeoutMs === undefined ? {} : {timeoutMs}),
      retries: retries?.(variant) ?? 0,
      salt: joinSalts(scope.salt, salt?.(variant) ?? ''),
      ...(where === undefined ? {} : {executor: where}),
    };
  };
}

/** The tensor engine that the node names. */
export function readEngine(
  name: string,
  {engine}: StageNodeSection,
  stage: StageDeclaration,
  resolve: Resolve,
  scope: Scope,
): PerVariant<EngineName | undefined> {
  if (engine === undefined) return () => undefined;
  const path = ['nodes', name, 'engine'];
  if (!stage.numericBackend) {
    const message = `stage \`${stage.name}\` does not compute with a tensor engine`;
    const hint = 'remove `engine`, or let the stage say `numericBackend: true`';
    scope.report({code: 'bad-value', message, hint, path, at: 'key'});
    return () => undefined;
  }
  const read = perVariant(engine, path, resolve, scope, (value, report) => {
    if (typeof value === 'string' && isEngineName(value)) return value;
    const hint = () => (typeof value === 'string' ? didYouMean(value, engineNames) : undefined);
    report({...unfit(path, `one of the tensor engines ${engineNames.join(', ')}`, value), hint});
    return undefined;
  });
  return read ?? (() => undefined);
}

/** The node's seed: as written, else derived from the run seed and the node's identity. */
export function readSeed(name: string, section: NodeSection, resolve: Resolve, scope: Scope): PerVariant<number> {
  const path = ['nodes', name, 'seed'];
  const wanted = 'a whole number, 1 ... 2^31-1';
  const given = perVariant(section.seed, path, resolve, scope, (value, report) =>
    checked(value, path, wanted, report, (n) => Number.isInteger(n) && n >= 1 && n <= 0x7fffffff),
  );
  return (variant: Variant) => given?.(variant) ?? nodeSeed(scope.runSeed, name, variant);
}

/** What the pipeline says of the site's Slurm. */
export function readSlurm(section: SlurmSection, report: Report): SlurmProfile {
  const {time, poll, ...rest} = section;
  const path = ['executors', 'slurm'];
  const timeMs = time === undefined ? undefined : toMilliseconds(time, [...path, 'time'], report);
  const pollMs = poll === undefined ? undefined : toMilliseconds(poll, [...path, 'poll'], report);
  return {
    ...defaultSlurmProfile,
    ...rest,
    ...(timeMs === undefined ? {} : {timeMs}),
    ...(pollMs === undefined ? {} : {pollMs}),
  };
}

function toExecutor(value: Json, path: Path, report: Report): ExecutorName | undefined {
  if (typeof value === 'string' && isExecutorName(value)) return value;
  report(unfit(path, '`local` or `slurm`', value));
  return undefined;
}

function joinSalts(run: string, node: string): string {
  return run === '' || node === '' ? run + node : JSON.stringify([run, node]);
}

function toResources(value: Json, declared: Resources, path: Path, report: Report): Resources {
  if (!isObject(value)) return declared;
  const number = (key: string, wanted: string, test: (n: number) => boolean) => {
    const found = value[key];
    return found === undefined ? undefined : checked(found, [...path, key], wanted, report, test);
  };
  const positive = (n: number) => n > 0;
  const cpu = number('cpu', 'a number of cores above 0', positive);
  const memoryMiB = number('memoryMiB', 'a number of MiB above 0', positive) ?? declared.memoryMiB;
  const wholeOrShare = (n: number) => n >= 0 && (Number.isInteger(n) || n < 1);
  const gpu = number('gpu', 'a whole number of devices, or a fraction below 1', wholeOrShare);
  const gpuMemoryMiB = number('gpuMemoryMiB', 'a number of MiB above 0', positive) ?? declared.gpuMemoryMiB;
  return {
    cpu: cpu ?? declared.cpu,
    gpu: gpu ?? declared.gpu,
    whenNoGpu: toWhenNoGpu(value['whenNoGpu'], declared, [...path, 'whenNoGpu'], report),
    ...(memoryMiB === undefined ? {} : {memoryMiB}),
    ...(gpuMemoryMiB === undefined ? {} : {gpuMemoryMiB}),
  };
}

function toWhenNoGpu(value: Json | undefined, declared: Resources, path: Path, report: Report): Resources['whenNoGpu'] {
  if (value === undefined) return declared.whenNoGpu;
  if (value === 'cpu' || value === 'fail') return value;
  report(unfit(path, '`cpu` or `fail`', value));
  return declared.whenNoGpu;
}

const unitMs: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};
/** Node's timers cannot wait longer. */
const longestMs = 2 ** 31 - 1;

function toMilliseconds(value: Json, path: Path, report: Report): number | undefined {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) : undefined;
  const ms = typeof value === 'number' ? value * 1000 : Number(parts?.[1]) * (unitMs[parts?.[2] ?? ''] ?? NaN);
  if (ms > 0 && ms <= longestMs) return Math.max(1, Math.round(ms));
  const wanted = 'a time such as `90s`, `15m`, `2h`, `1d`, or a number of seconds above 0';
  report(ms > longestMs ? unfit(path, 'at most 24 days', value) : unfit(path, wanted, value));
  return undefined;
}

function checked(
  value: Json,
  path: Path,
  wanted: string,
  report: Report,
  test: (value: number) => boolean,
): number | undefined {
  if (typeof value === 'number' && test(value)) return value;
  report(unfit(path, wanted, value));
  return undefined;
}

function unfit(path: Path, wanted: string, value: Json): Problem {
  const message = `\`${String(path.at(-1))}\` must be ${wanted}, not ${valueText(value)}`;
  return {code: 'bad-value', message, path, at: 'value', traced: true};
}
