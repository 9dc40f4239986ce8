import type {ErrorObject} from 'ajv/dist/2020.js';
import {compareForms} from '../core/compare.ts';
import type {Json, JsonObject} from '../core/json.ts';
import {defaultResources} from '../core/resources.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {paramSchema} from './param-checker.ts';
import {schemaProblems} from './schema-problem.ts';
import {faultOf} from './work-paths.ts';

/** A declaration before its code digest is added. */
export type DeclaredStage = Omit<StageDeclaration, 'code' | 'manifest' | 'file'>;

const about = {type: 'string'};
const portName = {expects: 'a name of letters, digits, `-` and `_`', pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$'};
const tolerance = {
  absolute: {type: 'number', minimum: 0},
  relative: {type: 'number', minimum: 0},
  digits: {type: 'integer', minimum: 0, maximum: 15},
};
const compare = {
  expects: '`none`, or a mapping with `as`',
  type: ['string', 'object'],
  pattern: '^none$',
  required: ['as'],
  additionalProperties: false,
  properties: {as: {enum: compareForms}, ...tolerance},
};
const compareMetrics = {
  expects: '`none`, or a mapping with `absolute`, `relative` or `digits`',
  type: ['string', 'object'],
  pattern: '^none$',
  additionalProperties: false,
  properties: tolerance,
};
const kind = {expects: '`file` or `tree`', enum: ['file', 'tree']};
const show = {expects: '`curve`, `confusion`, `bars` or `bars:COLUMN`', pattern: '^(curve|confusion|bars(:.+)?)$'};
const schema = {
  type: 'object',
  required: ['name', 'summary', 'params', 'inputs', 'outputs', 'run'],
  additionalProperties: false,
  properties: {
    name: {type: 'string', minLength: 1},
    summary: {type: 'string'},
    params: {
      type: 'object',
      propertyNames: portName,
      additionalProperties: {
        type: 'object',
        required: ['type'],
        properties: {
          about,
          type: {enum: ['integer', 'number', 'string', 'boolean', 'array', 'object']},
          heldOut: {expects: '`learns` or `applies`', enum: ['learns', 'applies']},
        },
      },
    },
    inputs: {
      type: 'object',
      propertyNames: portName,
      additionalProperties: {
        type: 'object',
        required: ['kind'],
        additionalProperties: false,
        properties: {kind, many: {const: true}, optional: {const: true}, about},
      },
    },
    outputs: {
      type: 'object',
      minProperties: 1,
      propertyNames: portName,
      additionalProperties: {
        type: 'object',
        required: ['kind', 'name'],
        additionalProperties: false,
        properties: {
          kind,
          name: {type: 'string', minLength: 1},
          display: {const: true},
          show,
          optional: {const: true},
          compare,
          about,
        },
      },
    },
    compareMetrics,
    resources: {
      type: 'object',
      additionalProperties: false,
      properties: {
        cpu: {type: 'number', exclusiveMinimum: 0},
        memoryMiB: {type: 'number', exclusiveMinimum: 0},
        gpu: {type: 'number', minimum: 0},
        gpuMemoryMiB: {type: 'number', exclusiveMinimum: 0},
        whenNoGpu: {enum: ['cpu', 'fail']},
      },
    },
    numericBackend: {type: 'boolean'},
    seeded: {type: 'boolean'},
    deterministic: {type: 'boolean'},
    resumable: {const: true},
    run: {},
  },
};

/** Checks what a stage module exports by default. Gives the declaration, or everything that is wrong with it. */
export async function readDeclaration(
  exported: unknown,
  name: string,
): Promise<{readonly stage: DeclaredStage} | {readonly faults: readonly string[]}> {
  if (typeof exported !== 'object' || exported === null) {
    return {faults: ['the module must export a stage by default: `export default defineStage({…})`']};
  }
  const {run, ...rest} = exported as {run?: unknown};
  const faults = typeof run === 'function' ? [] : ['`run` must be a function'];
  let value: JsonObject;
  try {
    value = JSON.parse(JSON.stringify(rest)) as JsonObject;
  } catch (error) {
    return {faults: [...faults, `the declaration must be plain data: ${(error as Error).message}`]};
  }
  const {Ajv2020} = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({allErrors: true, verbose: true, strict: false});
  const validate = ajv.compile(schema);
  if (!validate({...value, run: null})) {
    const problems = schemaProblems(validate.errors as ErrorObject[], []);
    return {faults: [...faults, ...problems.map(({path, message}) => place(path, message))]};
  }
  const stage = complete(value);
  if (stage.name !== name) faults.push(`\`name\` is \`${stage.name}\`, and the file is called \`${name}\``);
  faults.push(...checkOutputs(stage), ...checkHeldOut(stage), ...checkDefaults(stage, ajv));
  return faults.length > 0 ? {faults} : {stage};
}

function complete(value: JsonObject): DeclaredStage {
  const {resources, numericBackend, seeded, deterministic, ...rest} = value as unknown as DeclaredStage;
  return {
    ...rest,
    resources: {...defaultResources, ...resources},
    numericBackend: numericBackend ?? false,
    seeded: seeded ?? false,
    deterministic: deterministic ?? true,
  };
}

function checkOutputs({outputs}: DeclaredStage): string[] {
  const faults: string[] = [];
  const taken = new Map<string, string>();
  for (const [port, {kind, name, optional, show: hint}] of Object.entries(outputs)) {
    if (hint !== undefined && !name.endsWith('.csv')) {
      faults.push(`\`outputs.${port}.show\`: only a .csv file is shown so`);
    }
    if (optional && kind === 'tree') {
      faults.push(`\`outputs.${port}.optional\`: only a file can be left unwritten; a tree can be left empty`);
    }
    const fault = name.includes('/') ? 'is not a plain file name' : faultOf(name);
    if (fault) faults.push(`\`outputs.${port}.name\`: \`${name}\` ${fault}`);
    const other = taken.get(name.toLowerCase());
    if (other !== undefined) faults.push(`outputs \`${other}\` and \`${port}\` have the same name \`${name}\``);
    taken.set(name.toLowerCase(), port);
  }
  return faults;
}

function checkHeldOut({params}: DeclaredStage): string[] {
  const flagged = Object.entries(params).filter(([, {heldOut}]) => heldOut !== undefined);
  const faults = flagged
    .filter(([, {type}]) => type !== 'integer' && type !== 'string')
    .map(([param]) => `\`params.${param}.heldOut\`: an integer or a text names a fold`);
  if (flagged.length > 1) {
    const names = flagged.map(([param]) => `\`${param}\``).join(' and ');
    faults.push(`${names} both say \`heldOut\`: one param names the fold`);
  }
  return faults;
}

interface Validator {
  compile(schema: object): ((value: unknown) => boolean) & {errors?: ErrorObject[] | null};
}

function checkDefaults(stage: DeclaredStage, ajv: Validator): string[] {
  let validate: ReturnType<Validator['compile']>;
  try {
    validate = ajv.compile(paramSchema(stage));
  } catch (error) {
    return [`\`params\` is not a JSON Schema: ${(error as Error).message}`];
  }
  const given = Object.entries(stage.params).filter(([, param]) => param['default'] !== undefined);
  const defaults: Json = Object.fromEntries(given.map(([param, {default: value}]) => [param, value]));
  if (validate(defaults)) return [];
  return schemaProblems(validate.errors ?? [], []).map(
    ({path, message}) => `default of \`params.${path.join('.')}\`: ${message}`,
  );
}

function place(path: readonly (string | number)[], message: string): string {
  const where = path.slice(0, -1).join('.');
  return where === '' ? message : `in \`${where}\`: ${message}`;
}
