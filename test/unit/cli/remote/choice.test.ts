import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Failure} from '../../../../src/core/failure.ts';
import type {JsonObject} from '../../../../src/core/json.ts';
import {chooseRemote, mayHaveRemote} from '../../../../src/cli/remote/choice.ts';
import type {RemoteChoice} from '../../../../src/cli/remote/combine.ts';
import {plainSettings} from '../../../../src/remote/settings.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

interface Places {
  readonly variable?: string;
  readonly namespace?: string;
  readonly pipeline?: JsonObject;
  /** Text of the user's file. */
  readonly user?: string;
}

interface Outcome {
  readonly chosen: RemoteChoice | undefined;
  readonly problem: Failure | undefined;
  readonly may: boolean;
  readonly home: string;
}

/** A machine with these places to say which cache is used. */
async function choose({variable, namespace, pipeline, user}: Places): Promise<Outcome> {
  const home = tempFolder();
  if (user !== undefined) {
    mkdirSync(join(home, 'mixdown'));
    writeFileSync(join(home, 'mixdown/config.yaml'), user);
  }
  const env = {
    XDG_CONFIG_HOME: home,
    ...(variable === undefined ? {} : {MIXDOWN_CACHE: variable}),
    ...(namespace === undefined ? {} : {MIXDOWN_CACHE_NAMESPACE: namespace}),
  };
  const project = {root: '/project', file: '/project/pipeline.yaml', cacheDir: '', runsDir: ''};
  const wish = {io: {env, cwd: '/somewhere', now: () => 0}, project, ...(pipeline ? {remote: pipeline} : {})};
  const result = await chooseRemote(wish);
  return {
    chosen: result.ok ? result.value : undefined,
    problem: result.ok ? undefined : result.error[0],
    may: mayHaveRemote(wish),
    home,
  };
}

const keys = [
  'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  'MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=',
] as const;
const userText = (section: object): string => JSON.stringify({cache: {remote: section}});
const pipeline = {url: 'https://one.example/cache', mode: 'read-only', credentials: {bearer: {env: 'TOKEN'}}};
const user = 'cache: {remote: {url: "https://two.example/cache", credentials: {basic: {file: secret}}}}';

it('is none when nobody names one', async () => {
  expect(await choose({})).toMatchObject({chosen: undefined, problem: undefined, may: false});
  expect(await choose({user: ''})).toMatchObject({chosen: undefined, problem: undefined});
  expect(await choose({user: userText({builder: 'ada'})})).toMatchObject({chosen: undefined, problem: undefined});
  expect(await choose({pipeline: {namespace: 'main'}, namespace: 'pr-1'})).toMatchObject({chosen: undefined});
});

it('is what pipeline.yaml says, where the user speaks of another', async () => {
  const {chosen, may} = await choose({pipeline, user});
  expect(may).toBe(true);
  expect(chosen?.settings).toEqual({
    ...plainSettings,
    url: new URL('https://one.example/cache'),
    mode: 'read-only',
    credentials: {scheme: 'bearer', secret: {env: 'TOKEN'}},
  });
  expect(chosen?.from).toEqual(['pipeline.yaml']);
});

it('is what the user says, where nobody else does; paths start at the folder of the file', async () => {
  const {chosen, home} = await choose({user});
  expect(chosen).toEqual({
    from: [join(home, 'mixdown/config.yaml')],
    settings: {
      ...plainSettings,
      url: new URL('https://two.example/cache'),
      credentials: {scheme: 'basic', secret: {file: join(home, 'mixdown/secret')}},
    },
  });
});

it('is off when the variable says so', async () => {
  expect(await choose({variable: 'off', pipeline, user})).toMatchObject({chosen: undefined, may: false});
});

it('has another mode when the variable names one', async () => {
  const {chosen} = await choose({variable: 'write-only', pipeline});
  expect(chosen?.settings).toMatchObject({url: new URL('https://one.example/cache'), mode: 'write-only'});
  expect(chosen?.from).toEqual(['MIXDOWN_CACHE', 'pipeline.yaml']);
  expect(await choose({variable: 'write-only'})).toMatchObject({chosen: undefined, may: false});
});

it('may be a folder: of the variable from here, of pipeline.yaml from the project', async () => {
  const hrefOf = ({chosen}: Outcome) => chosen?.settings.url.href;
  expect(hrefOf(await choose({variable: '../shared cache'}))).toBe('file:///shared%20cache');
  expect(hrefOf(await choose({variable: '/mnt/a#b?c'}))).toBe('file:///mnt/a%23b%3Fc');
  expect(hrefOf(await choose({pipeline: {url: 'shared'}}))).toBe('file:///project/shared');
  expect(hrefOf(await choose({pipeline: {url: 'file:///mnt/cache'}}))).toBe('file:///mnt/cache');
});

describe("the user's file is laid over pipeline.yaml", () => {
  const policy = {namespace: 'main', read: ['next'], salt: '1', recheck: 0.5, builder: 'all'};
  const trust = {main: {ci: keys[0]}, next: {ci: keys[0]}};

  it.each([
    ['the same address', 'https://one.example/cache'],
    ['the same with a slash', 'https://one.example/cache/'],
    ['none', undefined],
  ])('key by key, when it names %s', async (_, url) => {
    const over = {...(url === undefined ? {} : {url}), namespace: 'ada', mode: 'write-only', sign: {file: 'key.pem'}};
    const {chosen, home} = await choose({pipeline: {...pipeline, ...policy, trust}, user: userText(over)});
    expect(chosen?.settings).toEqual({
      ...policy,
      trust,
      url: new URL('https://one.example/cache'),
      credentials: {scheme: 'bearer', secret: {env: 'TOKEN'}},
      namespace: 'ada',
      mode: 'write-only',
      sign: {file: join(home, 'mixdown/key.pem')},
    });
    expect(chosen?.from).toEqual([join(home, 'mixdown/config.yaml'), 'pipeline.yaml']);
  });

  it('and its address is used where that has none', async () => {
    const {chosen} = await choose({pipeline: {...policy, trust}, user: userText({url: 'https://two.example/'})});
    expect(chosen?.settings).toMatchObject({...policy, trust, url: new URL('https://two.example/')});
  });

  it('but who is trusted is so in one namespace: the others stay closed', async () => {
    const over = {trust: {next: {ada: keys[1]}, 'pr-*': {}}};
    const {chosen} = await choose({pipeline: {...pipeline, trust}, user: userText(over)});
    expect(chosen?.settings.trust).toEqual({main: {ci: keys[0]}, next: {ada: keys[1]}, 'pr-*': {}});
  });

  it('and a name does not come up that had no part', async () => {
    const {chosen} = await choose({pipeline: {...pipeline, namespace: 'main'}, user: userText({url: pipeline.url})});
    expect(chosen?.from).toEqual(['pipeline.yaml']);
  });
});

describe('an address of the environment', () => {
  const policy = {
    namespace: 'main',
    read: ['next'],
    trust: {main: {ci: keys[0]}},
    salt: '1',
    recheck: 0.5,
    builder: 'a',
  };
  const sign = {env: 'KEY'};

  it.each([
    ['pipeline.yaml', {pipeline: {...pipeline, ...policy, sign}}],
    ['the user', {user: userText({url: 'https://two.example/cache', mode: 'read-only', ...policy, sign})}],
  ])('leaves in force whom to trust by %s, and neither credentials nor mode of another host', async (_, places) => {
    for (const variable of [
      'https://three.example/cache',
      'http://one.example/cache',
      'https://two.example:8443/',
      '/mnt',
    ]) {
      const {chosen} = await choose({variable, ...places});
      expect(chosen?.settings).toEqual({
        ...policy,
        sign,
        mode: 'read-write',
        url: new URL(variable, 'file:///'),
      });
      expect(chosen?.from).toHaveLength(2);
    }
  });

  it('has the credentials and the mode of its host, and no other', async () => {
    const same = await choose({variable: 'https://two.example/other', pipeline, user});
    expect(same.chosen?.settings).toEqual({
      ...plainSettings,
      url: new URL('https://two.example/other'),
      credentials: {scheme: 'basic', secret: {file: join(same.home, 'mixdown/secret')}},
    });
    const theirs = await choose({variable: 'https://one.example/other', pipeline, user});
    expect(theirs.chosen?.settings).toMatchObject({mode: 'read-only', credentials: {secret: {env: 'TOKEN'}}});
  });
});

describe('MIXDOWN_CACHE_NAMESPACE', () => {
  it('is where results are written; what is read besides stays, without that', async () => {
    const places = {pipeline: {...pipeline, namespace: 'main', read: ['main', 'pr-12']}};
    expect((await choose(places)).chosen?.settings).toMatchObject({namespace: 'main', read: ['pr-12']});
    const {chosen} = await choose({...places, namespace: 'pr-12'});
    expect(chosen?.settings).toMatchObject({namespace: 'pr-12', read: ['main']});
    expect(chosen?.from).toEqual(['MIXDOWN_CACHE_NAMESPACE', 'pipeline.yaml']);
    expect((await choose({...places, namespace: ''})).chosen?.settings).toMatchObject({namespace: 'main'});
  });

  it('is refused when it is no name, with one that is', async () => {
    const {problem} = await choose({pipeline, namespace: 'feature/Mix'});
    expect(problem?.message).toMatch(/^MIXDOWN_CACHE_NAMESPACE: a namespace is made of/);
    expect(problem?.hint).toContain('`feature-mix`');
  });
});

/** Each place says nothing, names the host one or two, or has a policy alone; where it may, it has credentials of its own. */
describe('whoever says what', () => {
  const hosts = ['https://one.example/a', 'https://two.example/b'];
  const ways = [
    undefined,
    {salt: 'policy'},
    ...hosts.flatMap((url) => [{url}, {url, credentials: {bearer: {env: 'X'}}}]),
  ];
  const cases = [undefined, 'read-only', ...hosts].flatMap((variable) =>
    ways.flatMap((project) => ways.map((own) => ({variable, project, own}))),
  );
  const withSecret = (section: JsonObject | undefined, name: string): JsonObject | undefined =>
    section && 'credentials' in section ? {...section, credentials: {bearer: {env: name}}} : section;

  it.each(cases)('$variable, pipeline.yaml $project, user $own', async ({variable, project, own}) => {
    const ofProject = withSecret(project, 'PROJECT');
    const ofUser = withSecret(own, 'USER');
    const {chosen, problem} = await choose({
      ...(variable === undefined ? {} : {variable}),
      ...(ofProject ? {pipeline: ofProject} : {}),
      ...(ofUser ? {user: userText(ofUser)} : {}),
    });
    expect(problem).toBeUndefined();
    const address = hosts.includes(variable ?? '') ? variable : (ofProject?.['url'] ?? ofUser?.['url']);
    expect(chosen?.settings.url.href).toBe(address);
    const secret = chosen?.settings.credentials?.secret as {readonly env: string} | undefined;
    // A secret goes where its own file says.
    if (secret?.env === 'USER') expect(ofUser?.['url']).toBe(address);
    if (secret?.env === 'PROJECT') expect(ofProject?.['url']).toBe(address);
    // And it does go there.
    const having = [ofUser, ofProject].filter((section) => section?.['url'] === address && section?.['credentials']);
    expect(secret !== undefined).toBe(chosen !== undefined && having.length > 0);
    if (chosen && having[0] === ofUser && ofUser) expect(secret?.env).toBe('USER');
    // What the project asks for is never dropped silently, unless the user says otherwise.
    if (chosen && ofProject?.['salt'] !== undefined) expect(chosen.settings.salt).toBe('policy');
  });
});

it('wants the address beside credentials: a project must not choose where those of the user go', async () => {
  const {problem} = await choose({
    pipeline: {url: 'https://evil.example/'},
    user: userText({credentials: {bearer: {env: 'TOKEN'}}}),
  });
  expect(problem?.message).toContain('`credentials` needs `url` beside it');
});

it.each([
  'https://user:hunter2@host/cache',
  'https://host/cache?sig=hunter2',
  'https://host/cache#hunter2',
  'ftp://hunter2/cache',
  'http://[hunter2',
])('refuses %s, and does not print it', async (variable) => {
  const {problem, may} = await choose({variable});
  expect(may).toBe(true);
  expect(problem?.message).toContain('MIXDOWN_CACHE');
  expect(JSON.stringify(problem)).not.toContain('hunter2');
});

it.each([
  ['a text', 'cache: {remote: here}', '`remote` must be a mapping'],
  ['an unknown key', 'cache: {remote: {url: a, adress: b}}', 'unknown key `adress`'],
  ['an unknown mode', 'cache: {remote: {url: a, mode: rw}}', '`mode` must be one of'],
  ['a secret in the open', 'cache: {remote: {url: a, credentials: {bearer: hunter2}}}', '{env: NAME}'],
  ['what only reading shows', 'cache: {remote: {url: "ftp://host/hunter2"}}', 'not by ftp:'],
  ['no YAML', 'cache: {remote: [', 'config.yaml'],
])('says what is wrong with the user file: %s', async (_, text, message) => {
  const {problem} = await choose({user: text});
  expect(JSON.stringify(problem)).toContain(message);
  expect(JSON.stringify(problem)).not.toContain('hunter2');
});
