import type {Event} from '../../core/events.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Machine} from '../../core/resources.ts';
import {ok, type Result} from '../../core/result.ts';
import {basesOf, outdatedNodes, type Bases} from '../../engine/basis.ts';
import {DevicePool} from '../../engine/device-pool.ts';
import {Recall} from '../../engine/recall.ts';
import {decide, failuresAfter, type FailedNode} from '../../engine/watch.ts';
import {headline} from '../../report/failure-text.ts';
import {openFileWatcher, type FileWatcher} from '../../store/file-watcher.ts';
import {noteAcceptedLeaks} from '../accepted-leaks.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {Inbox} from '../inbox.ts';
import {listenForKeys} from '../keys.ts';
import {loadProject, selectNodes, type Loaded} from '../load.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {listenForInterrupts, type Interrupts} from '../signals.ts';
import {basicPaths, watchedPaths} from '../watched-paths.ts';
import {currentToolchain} from '../workspace.ts';
import {executeRun, type RunEnd} from '../running/execute-run.ts';
import {planRun, type PlannedRun, type RunSettings} from '../running/planned-run.ts';

/** Builds, and builds again whenever something that the targets depend on changes, until it is told to quit. */
export async function watchCommand(
  context: Context,
  patterns: readonly string[],
  options: WatchOptions,
): Promise<ExitCode> {
  const found = findProject(context);
  if (!found.ok) return context.fail(found.error);
  const inbox = new Inbox<News>();
  const builds = new Set<(times: number) => void>();
  const tellBuilds = (times: number): void => builds.forEach((tell) => tell(times));
  const interrupts = listenForInterrupts((times) => {
    tellBuilds(times);
    inbox.put({kind: 'interrupt'});
  });
  const quit = new AbortController();
  const listen = (tell: (times: number) => void): Interrupts => {
    builds.add(tell);
    const stop = AbortSignal.any([interrupts.stop, quit.signal]);
    return {stop, kill: interrupts.kill, dispose: () => builds.delete(tell)};
  };
  const stop = (): void => {
    tellBuilds(1);
    quit.abort();
  };
  const {root, cacheDir, runsDir, file} = found.value;
  const watcher = openFileWatcher({
    root,
    ignored: [cacheDir, runsDir],
    onChange: (paths) => inbox.put({kind: 'changed', paths}),
    onProblem: (problem) => inbox.put({kind: 'unseen', problem}),
  });
  const stopKeys = listenForKeys((key) => inbox.put({kind: 'key', key}));
  try {
    // Always this file: were it to go away, one further up would be another project's.
    const pinned = {...context, globals: {...context.globals, file}};
    return await new Watch(pinned, found.value, patterns, options, {inbox, watcher, listen, stop}).run();
  } finally {
    stopKeys();
    interrupts.dispose();
    await watcher.close();
  }
}

export type WatchOptions = Omit<RunSettings, 'force'>;

type News =
  | {readonly kind: 'changed'; readonly paths: ReadonlySet<string>}
  | {readonly kind: 'unseen'; readonly problem: Failure}
  | {readonly kind: 'key'; readonly key: string}
  | {readonly kind: 'ended'; readonly build: Build; readonly end: RunEnd}
  | {readonly kind: 'broken'; readonly error: unknown}
  | {readonly kind: 'interrupt'};

interface Outside {
  readonly inbox: Inbox<News>;
  readonly watcher: FileWatcher;
  readonly listen: (onSignal: (times: number) => void) => Interrupts;
  /** Ends the builds that are going on as the first Ctrl-C does. */
  readonly stop: () => void;
}

interface Build {
  readonly run: PlannedRun;
  readonly bases: Bases;
  /** Grows when a build that this one has overtaken fails in a node of both. */
  readonly held: Map<NodeId, Failure>;
  readonly recall: Recall;
  /** Nodes at work. */
  readonly running: Set<NodeId>;
}

const nothingHeld: ReadonlyMap<NodeId, FailedNode> = new Map();

/**
 * What goes on between the first build and the end. A change starts a new build at once, on the devices that are free: of one
 * that is going on only jobs that are still of use run to their ends, and the new build waits for those that it needs.
 */
class Watch {
  readonly #context: Context;
  readonly #project: Project;
  readonly #patterns: readonly string[];
  readonly #options: WatchOptions;
  readonly #outside: Outside;
  #current: Build | undefined;
  /** Builds that were overtaken and have jobs left. */
  readonly #overtaken = new Set<Build>();
  #latest: Bases | undefined;
  #built: Bases | undefined;
  #pool: {readonly machine: string; readonly pool: DevicePool} | undefined;
  #failed = nothingHeld;
  /** The project is to be looked at. */
  #look = true;
  /** Build whatever was built, also what failed. */
  #again: 'rerun' | 'force' | undefined;
  /** The project cannot be built, and that was told. */
  #inTrouble = false;
  #showFailures = false;
  #quit: ExitCode | undefined;
  readonly #noted = new Set<string>();
  readonly #changed = new Set<string>();

  constructor(
    context: Context,
    project: Project,
    patterns: readonly string[],
    options: WatchOptions,
    outside: Outside,
  ) {
    this.#context = context;
    this.#project = project;
    this.#patterns = patterns;
    this.#options = options;
    this.#outside = outside;
  }

  async run(): Promise<ExitCode> {
    for (;;) {
      if (this.#quit !== undefined && !this.#current && this.#overtaken.size === 0) return this.#quit;
      if (this.#look && this.#quit === undefined) {
        this.#look = false;
        await this.#lookAgain();
      }
      for (const news of await this.#outside.inbox.take()) this.#take(news);
    }
  }

  #take(news: News): void {
    switch (news.kind) {
      case 'changed':
        for (const path of news.paths) this.#changed.add(path);
        this.#look = true;
        return;
      case 'unseen':
        if (this.#current) this.#current.run.warnings.warn(news.problem);
        else this.#context.warn(news.problem);
        return;
      case 'key':
        this.#press(news.key);
        return;
      case 'ended':
        this.#end(news.build, news.end);
        return;
      case 'broken':
        throw news.error;
      case 'interrupt':
        this.#quit ??= exitCodes.interrupted;
    }
  }

  #press(key: string): void {
    switch (key) {
      case 'q':
        this.#quit ??= exitCodes.done;
        this.#outside.stop();
        return;
      case 'r':
      case 'f':
        this.#again = key === 'f' ? 'force' : 'rerun';
        this.#look = true;
        return;
      case 't':
        this.#toggleFailures();
    }
  }

  async #lookAgain(): Promise<void> {
    const loaded = await this.#load();
    if (!loaded.ok) return this.#tellTrouble(loaded.error);
    const again = this.#current ? undefined : this.#again;
    const options: RunSettings = {...this.#options, ...(again === 'force' ? {force: true} : {})};
    const planned = await planRun(this.#context, loaded.value, this.#patterns, options);
    if (!planned.ok) return this.#tellTrouble(planned.error);
    const run = planned.value;
    const bases = basesOf(run.work.planned, currentToolchain());
    const decision = decide(bases, {
      running: this.#current?.bases,
      built: again ? undefined : this.#built,
      failed: again ? nothingHeld : this.#failed,
    });
    if (decision.kind === 'build') {
      this.#again = undefined;
      const kept = this.#current ? await this.#overtake(this.#current, decision.outdated) : [];
      for (const build of this.#overtaken) build.recall.recall(outdatedNodes(build.bases, bases));
      this.#tellChanges();
      if (kept.length > 0) this.#context.note(`goes on meanwhile: ${kept.join(', ')}`);
      this.#start(run, bases, this.#shorten(decision.held), options);
    } else {
      run.work.workspace.close();
      if (this.#inTrouble && !this.#current) this.#context.note('that is solved, and nothing is stale');
    }
    this.#inTrouble = false;
  }

  /** Lets a build end with the jobs that are still of use, and returns their nodes. */
  async #overtake(build: Build, outdated: ReadonlySet<NodeId>): Promise<readonly NodeId[]> {
    this.#overtaken.add(build);
    const kept = [...build.running].filter((node) => !outdated.has(node));
    build.recall.recall(outdated);
    // What it has recorded so far must not be written over younger results when it ends.
    await build.run.work.workspace.state.flush();
    return kept;
  }

  /** The pipeline, once everything that it depends on is watched: what changes from now on will be told. */
  async #load(): Promise<Result<Loaded>> {
    const {watcher} = this.#outside;
    await watcher.begin(basicPaths(this.#project));
    for (;;) {
      const loaded = await loadProject(this.#context);
      if (!loaded.ok) return loaded;
      const targets = selectNodes(loaded.value, this.#patterns, 'default');
      if (!targets.ok) return targets;
      if (!(await watcher.watch(watchedPaths(loaded.value, targets.value)))) return ok(loaded.value);
    }
  }

  #start(run: PlannedRun, bases: Bases, held: Map<NodeId, Failure>, options: RunSettings): void {
    const {inbox, listen} = this.#outside;
    const note = (text: string): void => {
      if (!this.#noted.has(text)) this.#context.note(text);
      this.#noted.add(text);
    };
    noteAcceptedLeaks(
      {note},
      run.loaded.acceptedLeaks,
      run.work.plan.nodes.map(({node}) => node),
    );
    const recall = new Recall();
    const build: Build = {run, bases, held, recall, running: new Set()};
    this.#current = build;
    this.#latest = bases;
    const onEvent = (event: Event): void => this.#follow(build, event);
    const poolFor = (machine: Machine, jobs: number): DevicePool => this.#poolFor(machine, jobs);
    executeRun(this.#context, run, options, {listen, onEvent, recall, held, poolFor})
      .finally(() => run.work.workspace.close())
      .then(
        (end) => inbox.put({kind: 'ended', build, end}),
        (error: unknown) => inbox.put({kind: 'broken', error}),
      );
  }

  /** Builds that overlap share one pool, unless the machine has changed. */
  #poolFor(machine: Machine, jobs: number): DevicePool {
    const text = JSON.stringify([machine, jobs]);
    if (this.#pool?.machine !== text) this.#pool = {machine: text, pool: new DevicePool(machine, jobs)};
    return this.#pool.pool;
  }

  #follow(build: Build, event: Event): void {
    if (event.type === 'node-started') build.running.add(event.node);
    if (event.type !== 'node-finished') return;
    const {node, outcome, failure: problem} = event;
    build.running.delete(node);
    const basis = build.bases.nodes.get(node);
    if (outcome !== 'failed' || !problem || problem.code === 'input-changed' || !basis) return;
    if (build.held.get(node) === problem || this.#latest?.nodes.get(node) !== basis) return;
    this.#failed = new Map(this.#failed).set(node, {basis, failure: problem});
    if (this.#current !== build) this.#current?.held.set(node, problem);
  }

  #end(build: Build, {summary}: RunEnd): void {
    this.#failed = failuresAfter(this.#failed, summary, build.bases, build.held, this.#latest);
    if (this.#overtaken.delete(build)) return;
    this.#current = undefined;
    // What moved under a job was not built, whatever it is by now.
    const moved = [...summary.nodes.values()].some((each) => each.failure?.code === 'input-changed');
    this.#built = moved || summary.outcome === 'interrupted' ? undefined : build.bases;
    this.#look ||= this.#again !== undefined;
    if (!this.#look && this.#quit === undefined) this.#context.note(waiting);
  }

  #tellTrouble(failures: readonly Failure[]): void {
    this.#inTrouble = true;
    this.#changed.clear();
    const {file} = this.#project;
    const told = failures.map((problem) =>
      problem.code === 'pipeline-missing'
        ? failure(problem.code, `there is no ${displayPath(file, this.#context.io.cwd)} any more`)
        : problem,
    );
    if (this.#current) {
      // Its view has the terminal.
      told.forEach(this.#current.run.warnings.warn);
      return;
    }
    this.#context.fail(told);
    this.#context.note('waiting for the fix');
  }

  #tellChanges(): void {
    const [first, ...others] = [...this.#changed].sort();
    this.#changed.clear();
    if (first === undefined) return;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    this.#context.note(`changed: ${displayPath(first, this.#context.io.cwd)}${more}`);
  }

  #toggleFailures(): void {
    this.#showFailures = !this.#showFailures;
    if (this.#current) return;
    const failures = [...this.#failed].map(([node, {failure: problem}]) => ({...problem, node}));
    if (!this.#showFailures) this.#context.note('failures that stand are told in brief');
    else if (failures.length > 0) this.#context.fail(failures);
    else this.#context.note('no node stands as failed');
  }

  /** A failure that stands was told in full once. */
  #shorten(held: ReadonlyMap<NodeId, Failure>): Map<NodeId, Failure> {
    if (this.#showFailures) return new Map(held);
    const brief = [...held].map(([node, {code, message}]): readonly [NodeId, Failure] => [
      node,
      failure(code, `${headline(message)}; not tried again, as nothing that it depends on has changed`, {
        node,
        hint: 'r tries it again, t shows all of it',
      }),
    ]);
    return new Map(brief);
  }
}

const waiting = 'waiting for changes (r runs again, f forces, t shows failures, q quits)';
