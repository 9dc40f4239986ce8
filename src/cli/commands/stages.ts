import {didYouMean} from '../../core/closest.ts';
import {failure, type Failure} from '../../core/failure.ts';
import {canonicalJson, isArray, isObject, type JsonObject} from '../../core/json.ts';
import type {ParamSchema, StageDeclaration} from '../../core/stage.ts';
import {textTable} from '../../report/table.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadAllStages} from '../load.ts';

/** Lists the stages, or shows one with its params, inputs and outputs. JSON: the declarations. */
export async function stagesCommand(context: Context, name: string | undefined): Promise<ExitCode> {
  const loaded = await loadAllStages(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const {stages, failures} = loaded.value;
  const {json} = context.globals;
  if (name !== undefined) {
    const stage = stages.find((each) => each.name === name);
    const broken = failures.filter(({message}) => message.includes(`\`${name}\``));
    if (stage === undefined) return context.fail(broken.length > 0 ? broken : [unknownStage(name, stages)]);
    if (json) context.printJson(stage);
    else context.print(stageText(stage, context));
    return exitCodes.done;
  }
  if (json) context.printJson(stages);
  else
    context.print(
      textTable(
        [{title: 'stage'}, {title: 'summary'}],
        stages.map((stage) => [stage.name, stage.summary]),
      ),
    );
  return failures.length > 0 ? context.fail(failures) : exitCodes.done;
}

function unknownStage(name: string, stages: readonly StageDeclaration[]): Failure {
  const hint = didYouMean(
    name,
    stages.map((each) => each.name),
  );
  return failure('unknown-stage', `there is no stage \`${name}\``, hint === undefined ? {} : {hint});
}

function stageText(stage: StageDeclaration, {paint}: Context): string {
  const blocks = [`${paint.bold(stage.name)}  ${stage.summary}`];
  const params = Object.entries(stage.params).map(([name, schema]) => [
    `  ${name}`,
    `${typeText(schema)}${schema.heldOut === undefined ? '' : ', fold held out'}`,
    schema['default'] === undefined ? 'required' : `default ${canonicalJson(schema['default'])}`,
    schema.about ?? '',
  ]);
  const inputs = Object.entries(stage.inputs).map(([name, port]) => [
    `  ${name}`,
    `${port.kind}${port.many ? ', many' : ''}${port.optional ? ', optional' : ''}`,
    port.about ?? '',
  ]);
  const outputs = Object.entries(stage.outputs).map(([name, port]) => [
    `  ${name}`,
    `${port.kind}${port.optional ? ', optional' : ''}`,
    port.name,
    port.about ?? '',
  ]);
  for (const [title, rows] of Object.entries({params, inputs, outputs})) {
    if (rows.length === 0) continue;
    blocks.push(
      `${paint.dim(title)}\n${textTable(
        (rows[0] ?? []).map(() => ({title: ''})),
        rows,
      )}`,
    );
  }
  const {cpu, gpu, memoryMiB} = stage.resources;
  const traits = [
    `cpu ${cpu}`,
    ...(gpu > 0 ? [`gpu ${gpu}`] : []),
    ...(memoryMiB === undefined ? [] : [`memory ${memoryMiB} MiB`]),
    ...(stage.seeded ? ['seeded'] : []),
    ...(stage.numericBackend ? ['depends on the tensor engine'] : []),
    ...(stage.resumable ? ['goes on from a checkpoint'] : []),
    ...(stage.deterministic ? [] : ['not deterministic']),
  ];
  blocks.push(`${paint.dim('file')} ${stage.file ?? 'built in'}\n${paint.dim('needs')} ${traits.join(', ')}`);
  return blocks.join('\n\n');
}

/** `integer >= 1`, `one of "h1", "h2"`, `list of number`. */
function typeText(schema: ParamSchema): string {
  const choices = schema['enum'];
  if (isArray(choices)) return `one of ${choices.map(canonicalJson).join(', ')}`;
  const limits = Object.entries(limitSigns).flatMap(([key, sign]) => {
    const limit = schema[key];
    return limit === undefined ? [] : [`${sign} ${canonicalJson(limit)}`];
  });
  return [typeWord(schema), limits.join(', ')].join(' ').trimEnd();
}

const limitSigns = {minimum: '>=', exclusiveMinimum: '>', maximum: '<=', exclusiveMaximum: '<'};

function typeWord(schema: JsonObject): string {
  const {type, items} = schema;
  if (type === 'array') return `list of ${isObject(items) ? typeWord(items) : 'anything'}`;
  return typeof type === 'string' ? type : 'anything';
}
