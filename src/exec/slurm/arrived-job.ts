import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {sha256, type Digest, type Sha256} from '../../core/digest.ts';
import type {Job, JobInput} from '../../core/ports.ts';
import type {Lease} from '../../core/resources.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {layOut, takeArtifact, type Depot, type Gone, type Taken} from './sent-artifact.ts';
import type {SentInput, SentJob, SentModule} from './sent-job.ts';
import {withPackages} from './stage-packages.ts';

export interface Arrival extends Depot {
  /** Where sources are laid out under their names, for the life of a task. */
  readonly sources: string;
  /** Where the npm packages that stages import are looked for: the folder of mixdown's own, and those above. */
  readonly packages: string;
  /** Trees that are here, by the hash of their list: many jobs of a task may read the same one. */
  readonly trees: Map<Sha256, Taken>;
}

/** Gets a job ready on a machine that has nothing of it yet, but mixdown and the packages that its stage imports. */
export async function arrivedJob(
  sent: SentJob,
  {folder, lease}: {readonly folder: string; readonly lease: Lease},
  arrival: Arrival,
): Promise<Result<Job, Gone>> {
  const {work, inputs: sentInputs, resumable, ...rest} = sent;
  const inputs: Record<string, JobInput> = {};
  for (const [port, input] of Object.entries(sentInputs)) {
    const arrived = await arrivedInput(input, arrival);
    if (!arrived.ok) return arrived;
    inputs[port] = arrived.value;
  }
  const here = {...rest, inputs, folder, lease, ...(resumable ? {checkpoint: `${folder}/checkpoint`} : {})};
  if (work.type === 'command') return ok({...here, work});
  const {module: sentModule, ...stage} = work;
  const module = await arrivedModule(sentModule, stage.stage, arrival);
  return module.ok ? ok({...here, work: {...stage, module: module.value}}) : module;
}

/** Digests of the files that a job is given, without those within trees. */
export function inputDigests(inputs: SentJob['inputs']): readonly Digest[] {
  const digestsOf = (input: SentInput): readonly Digest[] =>
    input.kind === 'many' ? input.items.flatMap(digestsOf) : [input.digest];
  return Object.values(inputs).flatMap(digestsOf);
}

async function arrivedInput(input: SentInput, arrival: Arrival): Promise<Result<JobInput, Gone>> {
  if (input.kind === 'many') {
    const items: JobInput[] = [];
    for (const item of input.items) {
      const arrived = await arrivedInput(item, arrival);
      if (!arrived.ok) return arrived;
      items.push(arrived.value);
    }
    return ok({kind: 'many', items});
  }
  const {cas} = arrival;
  const {digest} = input;
  const name = input.name === undefined ? {} : {name: input.name};
  const known = input.kind === 'tree' ? arrival.trees.get(digest.hash) : undefined;
  const taken = known ? ok(known) : await takeArtifact(input, arrival);
  if (!taken.ok) return taken;
  if (input.kind === 'file') {
    if (input.file === undefined) return ok({kind: 'file', path: cas.pathOf(digest), ...name});
    const path = await laidOut(taken.value, join(digest.hash, input.file), arrival);
    return ok({kind: 'file', path, ...name});
  }
  arrival.trees.set(digest.hash, taken.value);
  const base =
    input.in === 'cas'
      ? ({in: 'cas', path: cas.dir} as const)
      : ({in: 'folder', path: await laidOut(taken.value, digest.hash, arrival)} as const);
  return ok({kind: 'tree', manifest: cas.pathOf(digest), base, ...name});
}

/** Files under the names that they have as sources. Once a task: jobs only read them. */
async function laidOut(taken: Taken, name: string, {sources, cas}: Arrival): Promise<string> {
  const path = join(sources, name);
  if (!existsSync(path)) await layOut(taken, path, cas);
  return path;
}

/** The compiled stage with its packages as they lie here. */
async function arrivedModule(
  {digest, packages}: SentModule,
  stage: string,
  arrival: Arrival,
): Promise<Result<string, Gone>> {
  const taken = await takeArtifact({kind: 'file', digest}, arrival);
  if (!taken.ok) return taken;
  const adapted = withPackages(await readFile(arrival.cas.pathOf(digest), 'utf8'), packages, arrival.packages);
  if (!adapted.ok) return err({gone: [], problem: adapted.error});
  const text = adapted.value;
  // Under the same path for all jobs of a task, whose worker then loads it once.
  const path = join(arrival.sources, 'stages', sha256(text), `${stage}.mjs`);
  if (!existsSync(path)) {
    await mkdir(dirname(path), {recursive: true});
    await writeFile(path, text);
  }
  return ok(path);
}
