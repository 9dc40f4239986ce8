import {readFileSync} from 'node:fs';
import type {ErrorObject} from 'ajv/dist/2020.js';
import {sha256, type Sha256} from '../core/digest.ts';
import {isObject, type Json} from '../core/json.ts';
import type {Problem} from './problem.ts';
import {isRemoteSecret, refineRemote} from './remote-problem.ts';
import {schemaProblems} from './schema-problem.ts';

/** The text of schemas/pipeline.schema.json and its hash, which is part of the key of every cached document. */
export interface DocumentSchema {
  readonly text: string;
  readonly hash: Sha256;
}

export function readDocumentSchema(): DocumentSchema {
  // The folder depth is the same under src/ and dist/.
  const text = readFileSync(new URL('../../schemas/pipeline.schema.json', import.meta.url), 'utf8');
  return {text, hash: sha256(text)};
}

/** Checks the shape of a whole document. The version comes first: a file of another version gets that one message. */
export async function validateDocument(value: Json, schema: DocumentSchema): Promise<readonly Problem[]> {
  if (!isObject(value)) {
    const message = value === null ? 'the pipeline is empty' : 'a pipeline is a mapping with `version` and `nodes`';
    const hint = '`mixdown init` writes a first pipeline.yaml';
    return [{code: 'schema-violation', message, hint, path: [], at: 'value'}];
  }
  const version = value['version'];
  if (typeof version === 'number' && version !== 1) {
    const message = `this mixdown reads version 1 of the pipeline format, not version ${version}`;
    const hint = version > 1 ? 'install a newer mixdown' : 'write `version: 1`';
    return [{code: 'schema-violation', message, hint, path: ['version'], at: 'value'}];
  }
  const {Ajv2020} = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({allErrors: true, verbose: true, strict: false, addUsedSchema: false});
  const validate = ajv.compile(JSON.parse(schema.text) as object);
  if (validate(value)) return [];
  const problems = schemaProblems(validate.errors as ErrorObject[], [], {isSecret: isRemoteSecret});
  const refined = problems.map((problem) => refine(refineRemote(problem, value), value));
  // A node that mixes both kinds is told that alone: what either kind lacks would only confuse.
  const mixed = new Set(refined.filter(({message}) => message === mixedKinds).map(({path}) => path[1]));
  return refined.filter(({path, message}) => path.length !== 2 || !mixed.has(path[1]) || message === mixedKinds);
}

const mixedKinds = 'a node has either `stage` or `command`, not both';

/** Says more where the schema's own words would leave a reader puzzled. */
function refine(problem: Problem, document: Json): Problem {
  const {path, code, message} = problem;
  if (path.length === 0 && message.includes('`version`')) return {...problem, hint: 'begin with `version: 1`'};
  if (path[0] !== 'nodes') return problem;
  const node = isObject(document) && isObject(document['nodes']) ? document['nodes'][String(path[1])] : undefined;
  if (!isObject(node)) return problem;
  if (path.length === 2 && message.endsWith('needs `stage`')) {
    const hint = 'write `stage: NAME`, or `command: [program, argument]`';
    return {...problem, message: `node \`${path[1]}\` needs \`stage\` or \`command\``, hint};
  }
  if (path.length === 2 && message.endsWith('needs `shell`'))
    return {...problem, hint: 'write `shell: bash -euo pipefail` beside `script`'};
  if (path.length === 2 && message.endsWith('needs `script`'))
    return {...problem, hint: '`shell` is the program that runs `script`'};
  if (path.length === 2 && message.endsWith('needs `outputs`'))
    return {...problem, hint: 'write `outputs: {name: path}` for what the command leaves behind'};
  if (path.length !== 3) return problem;
  if (path[2] === 'stage' && code === 'unknown-key') {
    return {code: 'schema-violation', message: mixedKinds, path, at: 'key'};
  }
  if (path[2] === 'command' && message.endsWith('cannot stand here')) {
    return {...problem, message: 'a node has either `command` or `shell` with `script`, not both'};
  }
  const command = node['command'];
  if (path[2] === 'command' && typeof command === 'string') {
    const words = command.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
    const bare = words.map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
    const argv = bare.map((word) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`));
    const hint = `no shell: \`command: [${argv.join(', ')}]\`\nwith a shell: \`shell: bash -euo pipefail\` and \`script: ${command}\``;
    return {...problem, message: '`command` must be a list: the program and its arguments', hint};
  }
  return problem;
}
