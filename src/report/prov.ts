import type {ActionResult} from '../core/action.ts';
import {sha256, type Digest, type Sha256} from '../core/digest.ts';
import {byCodeUnit, canonicalJson, type Json} from '../core/json.ts';
import type {Builder, Origin} from '../core/origin.ts';
import type {ArtifactRef, NodeId} from '../core/pipeline.ts';
import type {RunRecord, RunRecordNode} from './run-record.ts';

/**
 * A run in PROV-JSON (W3C member submission, 24 April 2013; data model: https://www.w3.org/TR/prov-dm/): section, then id of the
 * record, then its attributes.
 */
export interface ProvDocument {
  readonly prefix: Readonly<Record<string, string>>;
  readonly entity: ProvSection;
  readonly activity: ProvSection;
  readonly agent: ProvSection;
  readonly wasGeneratedBy: ProvSection;
  readonly used: ProvSection;
  readonly wasDerivedFrom: ProvSection;
  readonly wasAssociatedWith: ProvSection;
  readonly wasStartedBy: ProvSection;
  readonly specializationOf: ProvSection;
}

export type ProvSection = Readonly<Record<string, ProvRecord>>;
export type ProvRecord = Readonly<Record<string, Json>>;

export interface ProvRequest {
  readonly run: Omit<RunRecord, 'nodes'>;
  readonly nodes: Readonly<Record<NodeId, RunRecordNode>>;
  /** Undefined when the cache no longer has it. */
  readonly resultOf: (fingerprint: string) => ActionResult | undefined;
  /** What a node's port reads as the pipeline is now, in order; undefined when it has no such node or port. */
  readonly readsOf: (node: NodeId, port: string) => readonly ArtifactRef[] | undefined;
  /** Path of a source, as the pipeline writes it. */
  readonly pathOf: (source: string) => string | undefined;
}

const prefix = {
  mixdown: 'urn:mixdown:prov:',
  run: 'urn:mixdown:run:',
  action: 'urn:mixdown:action:',
  result: 'urn:mixdown:result:',
  host: 'urn:mixdown:host:',
  builder: 'urn:mixdown:builder:',
  software: 'urn:mixdown:software:',
  sha256: 'hash://sha256/',
};

/**
 * Tells where the results of a run are from. Content is an entity by its SHA-256; a result is one that an action generated, and
 * a specialization of its content: two actions that made the same bytes made two things. An action of an `each` node stands
 * for all its slices.
 */
export function provDocument(request: ProvRequest): ProvDocument {
  const writer = new Writer(request);
  for (const node of Object.keys(request.nodes).sort(byCodeUnit)) writer.add(node);
  return writer.document();
}

type Mutable = Record<string, ProvRecord>;
type Relation = Exclude<keyof ProvDocument, 'prefix' | 'entity' | 'activity' | 'agent'>;

interface Made {
  readonly id: string;
  readonly node: NodeId;
  readonly output: string;
}

class Writer {
  readonly #request: ProvRequest;
  readonly #made = new Map<Sha256, Made[]>();
  readonly #entity: Mutable = {};
  readonly #activity: Mutable = {};
  readonly #agent: Mutable = {};
  readonly #relations: Readonly<Record<Relation, Mutable>> = {
    wasGeneratedBy: {},
    used: {},
    wasDerivedFrom: {},
    wasAssociatedWith: {},
    wasStartedBy: {},
    specializationOf: {},
  };
  readonly #counts = new Map<Relation, number>();

  constructor(request: ProvRequest) {
    this.#request = request;
    const {run, nodes} = request;
    for (const node of Object.keys(nodes).sort(byCodeUnit)) {
      for (const [output, {digest}] of Object.entries(nodes[node]!.outputs ?? {})) {
        const made = {id: this.#resultId(node, output), node, output};
        const same = this.#made.get(digest.hash);
        if (same) same.push(made);
        else this.#made.set(digest.hash, [made]);
      }
    }
    const mixdown = `software:mixdown@${local(run.versions['mixdown'] ?? 'unknown')}`;
    this.#agent[mixdown] = {
      'prov:type': named('prov:SoftwareAgent'),
      'prov:label': 'mixdown',
      'mixdown:versions': canonicalJson(run.versions),
    };
    this.#activity[runId(run.id)] = {
      'prov:type': named('mixdown:Run'),
      'prov:label': `run ${run.id}`,
      'prov:startTime': run.startedAt,
      ...(run.finishedAt === undefined ? {} : {'prov:endTime': run.finishedAt}),
      'mixdown:outcome': run.outcome,
      'mixdown:command': run.command.join(' '),
      'mixdown:targets': [...run.targets],
      'mixdown:seed': run.seed,
    };
    this.#relate('wasAssociatedWith', {'prov:activity': runId(run.id), 'prov:agent': mixdown});
    this.#relate('wasAssociatedWith', {'prov:activity': runId(run.id), 'prov:agent': this.#host(run.host)});
  }

  add(node: NodeId): void {
    const record = this.#request.nodes[node]!;
    if (record.outcome === 'blocked' || record.outcome === 'cancelled') return;
    const id = this.#actionId(node);
    const before = this.#activity[id];
    if (before !== undefined) {
      // Nodes with the same key are one action.
      this.#activity[id] = {...before, 'mixdown:node': [before['mixdown:node'] ?? [], node].flat()};
      return;
    }
    const result = record.fingerprint === undefined ? undefined : this.#request.resultOf(record.fingerprint);
    this.#activity[id] = activityOf(node, record, result);
    const starter = result?.execution.runId ?? (record.outcome === 'executed' ? this.#request.run.id : undefined);
    if (starter !== undefined) this.#startedBy(id, starter);
    if (result) {
      const code = contentId(result.action.code);
      this.#entity[code] ??= {
        'prov:type': [named('prov:Plan'), named('mixdown:Code')],
        'prov:label': `code of ${result.action.stage}`,
      };
      const host = this.#host(result.execution.host);
      this.#relate('wasAssociatedWith', {'prov:activity': id, 'prov:agent': host, 'prov:plan': code});
      if (result.borrowed) this.#makers(id, result.borrowed);
    }
    const read = result ? this.#inputs(id, node, result) : new Set<string>();
    for (const [output, {digest, ...artifact}] of Object.entries(record.outputs ?? {})) {
      const made = this.#resultId(node, output);
      this.#entity[made] = {
        'prov:type': named('mixdown:Result'),
        'prov:label': `${node}.${output}`,
        'mixdown:kind': artifact.kind,
        'mixdown:bytes': artifact.kind === 'tree' ? artifact.bytes : digest.size,
        ...(artifact.kind === 'tree' ? {'mixdown:files': artifact.files} : {}),
      };
      this.#entity[contentId(digest.hash)] ??= content;
      this.#relate('specializationOf', {'prov:specificEntity': made, 'prov:generalEntity': contentId(digest.hash)});
      this.#relate('wasGeneratedBy', {'prov:entity': made, 'prov:activity': id, 'prov:role': output});
      for (const used of read) {
        this.#relate('wasDerivedFrom', {'prov:generatedEntity': made, 'prov:usedEntity': used, 'prov:activity': id});
      }
    }
  }

  document(): ProvDocument {
    return {
      prefix,
      entity: this.#entity,
      activity: this.#activity,
      agent: this.#agent,
      ...this.#relations,
    };
  }

  /** Ids of what the action read, each once. */
  #inputs(activity: string, node: NodeId, {action}: ActionResult): ReadonlySet<string> {
    const read = new Set<string>();
    for (const [port, input] of Object.entries(action.inputs)) {
      const digests: readonly Digest[] = 'hash' in input ? [input] : input;
      const refs = this.#request.readsOf(node, port);
      digests.forEach(({hash, size}, index) => {
        const entity = this.#origin(node, hash, size, refs?.length === digests.length ? refs[index] : undefined);
        read.add(entity);
        this.#relate('used', {'prov:activity': activity, 'prov:entity': entity, 'prov:role': port});
      });
    }
    return read;
  }

  /** The result that was read or, when no node of the run is known to have made it, its content: a source. */
  #origin(reader: NodeId, hash: Sha256, size: number, ref: ArtifactRef | undefined): string {
    const makers = ref?.from === 'source' ? [] : (this.#made.get(hash) ?? []);
    const meant =
      ref?.from === 'node' ? makers.find(({node, output}) => node === ref.node && output === ref.output) : undefined;
    // Where it is not known which one was meant, a wrong one could make a result its own ancestor.
    const producer = meant ?? (makers.length === 1 && makers[0]!.node !== reader ? makers[0] : undefined);
    if (producer) return producer.id;
    const id = contentId(hash);
    if (makers.length === 0 && this.#entity[id]?.['mixdown:source'] === undefined) {
      const path = ref?.from === 'source' ? this.#request.pathOf(ref.source) : undefined;
      this.#entity[id] = {
        'prov:type': named('mixdown:Source'),
        ...(ref?.from === 'source' ? {'prov:label': path ?? ref.source, 'mixdown:source': ref.source} : {}),
        // Of a folder, the size of the list of its files.
        'mixdown:bytes': size,
      };
    }
    return id;
  }

  #startedBy(activity: string, run: string): void {
    const starter = runId(run);
    this.#activity[starter] ??= {'prov:type': named('mixdown:Run'), 'prov:label': `run ${run}`};
    this.#relate('wasStartedBy', {'prov:activity': activity, 'prov:starter': starter});
  }

  /** Who made a result elsewhere, and who vouches for it since when somebody took it over. */
  #makers(activity: string, {voucher, namespace, builder, promotedBy}: Origin): void {
    const vouching = {voucher, namespace};
    if (!promotedBy) {
      this.#relate('wasAssociatedWith', {'prov:activity': activity, 'prov:agent': this.#builder(builder, vouching)});
      return;
    }
    if (builder) this.#relate('wasAssociatedWith', {'prov:activity': activity, 'prov:agent': this.#builder(builder)});
    const promoter = {'prov:agent': this.#builder(promotedBy, vouching), 'prov:role': 'promoter'};
    this.#relate('wasAssociatedWith', {'prov:activity': activity, ...promoter});
  }

  /** What they say of themselves, and where and as whom they vouch for results. */
  #builder(builder: Builder | undefined, vouching?: Pick<Origin, 'voucher' | 'namespace'>): string {
    const {name = vouching?.voucher ?? '', commit, job} = builder ?? {};
    const known = [vouching?.voucher ?? '', name, commit ?? '', job ?? ''];
    const id = `builder:${sha256(known.join('\n')).slice(0, 16)}`;
    this.#agent[id] ??= {
      'prov:type': named('mixdown:Builder'),
      'prov:label': name,
      ...(vouching
        ? {
            'mixdown:voucher': vouching.voucher,
            'mixdown:namespace': vouching.namespace,
            'mixdown:signed': vouching.voucher.startsWith('key:'),
          }
        : {}),
      ...(commit === undefined ? {} : {'mixdown:commit': commit}),
      ...(job === undefined ? {} : {'mixdown:job': job}),
    };
    return id;
  }

  #host(name: string): string {
    const id = `host:${local(name)}`;
    this.#agent[id] ??= {'prov:type': named('mixdown:Host'), 'prov:label': name};
    return id;
  }

  #actionId(node: NodeId): string {
    const {fingerprint} = this.#request.nodes[node]!;
    return `action:${fingerprint ?? `${local(this.#request.run.id)}/${local(node)}`}`;
  }

  #resultId(node: NodeId, output: string): string {
    return `result:${this.#actionId(node).slice('action:'.length)}/${local(output)}`;
  }

  #relate(section: Relation, record: ProvRecord): void {
    const count = (this.#counts.get(section) ?? 0) + 1;
    this.#counts.set(section, count);
    this.#relations[section][`_:${section}${count}`] = record;
  }
}

const content: ProvRecord = {'prov:type': named('mixdown:Content')};

function activityOf(node: NodeId, record: RunRecordNode, result: ActionResult | undefined): ProvRecord {
  const {outcome, device, engine, slices, metrics} = record;
  const {action, execution} = result ?? {};
  return {
    'prov:type': named('mixdown:Action'),
    'prov:label': node,
    'mixdown:node': node,
    'mixdown:outcome': outcome,
    ...(execution === undefined
      ? {}
      : {
          'prov:startTime': new Date(execution.startedAt).toISOString(),
          'prov:endTime': new Date(execution.startedAt + execution.wallMs).toISOString(),
        }),
    ...(action === undefined
      ? {}
      : {
          'mixdown:stage': action.stage,
          'mixdown:params': canonicalJson(action.params),
          'mixdown:seed': action.seed,
          'mixdown:toolchain': canonicalJson(action.toolchain),
        }),
    ...given('mixdown:device', execution?.device ?? device),
    ...given('mixdown:engine', engine),
    ...given('mixdown:slices', slices?.total),
    ...given('mixdown:metrics', metrics && Object.keys(metrics).length > 0 ? canonicalJson(metrics) : undefined),
    ...given('mixdown:failure', record.failure?.message),
  };
}

function given(name: string, value: Json | undefined): ProvRecord {
  return value === undefined ? {} : {[name]: value};
}

function named(name: string): Json {
  return {$: name, type: 'prov:QUALIFIED_NAME'};
}

function contentId(hash: Sha256): string {
  return `sha256:${hash}`;
}

function runId(id: string): string {
  return `run:${local(id)}`;
}

/** As the local part of a qualified name: what else it may not hold, percent-encoded. */
function local(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
