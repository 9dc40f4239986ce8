import {readFileSync} from 'node:fs';
import {digestOf} from '../../core/digest.ts';
import {isObject, type JsonObject} from '../../core/json.ts';
import type {Context} from '../context.ts';
import type {Finding} from '../finding.ts';
import type {Project} from '../project.ts';
import {chooseRemote, mayHaveRemote} from './choice.ts';

/** What is asked for and sent. A blob is known by its bytes, so one more does no harm. */
const probe = Buffer.from('mixdown doctor\n');
/** How long a remote cache may take to answer. */
const patienceMs = 15_000;

/** Whether the remote cache that is configured answers and takes what is sent; nothing where there is none. */
export async function remoteFindings({io}: Context, project: Project): Promise<readonly Finding[]> {
  const remote = await sectionOf(project.file);
  const wish = {io, project, ...(remote ? {remote} : {})};
  if (!mayHaveRemote(wish)) return [];
  const what = 'remote';
  const choice = await chooseRemote(wish);
  if (!choice.ok)
    return choice.error.map(({message, hint}) => ({what, state: 'warn', text: message, ...(hint ? {hint} : {})}));
  if (!choice.value) return [];
  const {settings} = choice.value;
  const [{transportTo}, {exposedKey, readSecrets}, {policyOf, writingText}] = await Promise.all([
    import('../../remote/open.ts'),
    import('../../remote/secrets.ts'),
    import('./policy.ts'),
  ]);
  const secrets = await readSecrets(settings, io.env);
  const policy = policyOf(settings, secrets);
  const transport = transportTo({...secrets, settings, now: io.now});
  const {name} = transport;
  const {hash, size} = digestOf(probe);
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield probe;
  };
  try {
    const answer = await troubleOf(() => transport.has('cas', hash, AbortSignal.timeout(patienceMs)));
    if (answer !== undefined) {
      const hint = secrets.lacks.find(({secret}) => secret === 'credentials')?.message;
      return [{what, state: 'warn', text: `${name}: ${answer}`, ...(hint ? {hint} : {})}];
    }
    const findings: Finding[] = [{what, state: 'good', text: `${name} answers`}];
    const sent = policy.writes
      ? await troubleOf(() => transport.put('cas', hash, {size, open}, AbortSignal.timeout(patienceMs)))
      : undefined;
    if (sent !== undefined) {
      const hint = 'check the credentials, or read only: `mode: read-only`';
      findings.push({what: 'sharing', state: 'warn', text: `it does not take what is sent: ${sent}`, hint});
    } else {
      const state = policy.mode === 'read-only' ? 'note' : policy.writes ? 'good' : 'warn';
      findings.push({what: 'sharing', state, text: `writes ${writingText(policy)}`});
    }
    const exposed = secrets.signingKey === undefined ? undefined : exposedKey(settings);
    if (exposed) findings.push({what: 'key', state: 'warn', text: exposed.message, hint: exposed.hint ?? ''});
    return findings;
  } finally {
    transport.close();
  }
}

/** `cache.remote` of a pipeline, whatever else is wrong with that. */
async function sectionOf(file: string): Promise<JsonObject | undefined> {
  const {parseYaml} = await import('../../config/yaml-text.ts');
  const {value = null} = await parseYaml(readFileSync(file, 'utf8'));
  const cache = isObject(value) ? (value['cache'] ?? null) : null;
  const remote = isObject(cache) ? (cache['remote'] ?? null) : null;
  return isObject(remote) ? remote : undefined;
}

async function troubleOf(request: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await request();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
