import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {executorNames} from '../core/executor.ts';
import {engineNames} from '../core/tensor-engine.ts';
import type {Vocabulary} from './commands/completion.ts';
import {makeContext, noGlobals, type Context, type Globals} from './context.ts';
import {
  affectedExamples,
  cacheExamples,
  checkExamples,
  ciExamples,
  completionExamples,
  diffExamples,
  examples,
  gcExamples,
  importExamples,
  lineageExamples,
  lockExamples,
  metricsExamples,
  predictExamples,
  reportExamples,
  provExamples,
  renderExamples,
  runExamples,
  showExamples,
  traceExamples,
  watchExamples,
} from './examples.ts';
import {exitCodes, type ExitCode} from './exit.ts';
import type {Io} from './io.ts';

type Action = (context: Context, ...rest: never[]) => Promise<ExitCode>;

/** Runs one command line. Commands load their code when they are called, so that help and completion stay fast. */
export async function runProgram(io: Io, version: string): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = buildProgram(io, version, (result) => {
    code = result;
  });
  if (io.argv.length === 0) {
    io.stdout.write(program.helpInformation());
    return exitCodes.done;
  }
  try {
    await program.parseAsync([...io.argv], {from: 'user'});
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.badUsage;
  }
  return code;
}

function buildProgram(io: Io, version: string, end: (code: ExitCode) => void): Command {
  const program = new Command('mixdown')
    .description('Builds what pipeline.yaml describes, and only what is stale.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({showGlobalOptions: true, sortSubcommands: false, styleTitle: (text) => text.replace(/:$/, '')})
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => Math.min(io.stdout.size().columns, 110),
      getErrHelpWidth: () => Math.min(io.stderr.size().columns, 110),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  addGlobals(program);
  program.addHelpText('after', examples);

  /** Binds a command to the function that does it, loaded at its call. */
  const does =
    (load: () => Promise<Action>) =>
    async (...args: unknown[]): Promise<void> => {
      const command = args.pop() as Command;
      const context = makeContext(io, {...noGlobals, ...command.optsWithGlobals<Partial<Globals>>()});
      const action = await load();
      end(await action(context, ...(args as never[])));
    };

  program
    .command('run')
    .argument('[target...]', 'nodes or target groups; the default group when none is given')
    .description('bring targets up to date: run what is stale, reuse the rest')
    .option('-j, --jobs <n>', 'cores to use at most (default: all)', positiveInteger)
    .addOption(
      new Option('--on-failure <mode>', 'after a failure: start nothing new, run what does not need it, or end all')
        .choices(['stop', 'continue', 'kill'])
        .default('stop'),
    )
    .option('-k, --keep-going', 'same as --on-failure continue')
    .addOption(new Option('--executor <name>', 'where nodes run: here, or on a cluster').choices(executorNames))
    .option('--force', 'run the named nodes again although a result is there')
    .option('-n, --dry-run', 'only say what would run, as `plan` does')
    .option('--junit <file>', 'write what became of each node as JUnit XML')
    .option('--since <revision>', 'only those targets that `affected` finds changed since a git revision')
    .option('--frozen', 'fail with 4 when the lock would have to change, or values drifted from it')
    .option('--accept <node>', 'take over the values of a node that drifted; may be repeated', collect)
    .option('--reason <text>', 'with --accept: why, which the lock keeps')
    .addOption(lockOption())
    .addHelpText('after', runExamples)
    .action(does(async () => (await import('./commands/run.ts')).runCommand));
  program
    .command('watch')
    .argument('[target...]', 'as for run')
    .description('run, and run again what becomes stale whenever a source, a stage or pipeline.yaml changes')
    .option('-j, --jobs <n>', 'as for run', positiveInteger)
    .addOption(
      new Option('--on-failure <mode>', 'as for run').choices(['stop', 'continue', 'kill']).default('continue'),
    )
    .addHelpText('after', watchExamples)
    .action(does(async () => (await import('./commands/watch.ts')).watchCommand));
  program
    .command('plan')
    .argument('[target...]', 'as for run')
    .description('say what `run` would do, and why; nothing is written')
    .option('-j, --jobs <n>', 'cores that the time is forecast for', positiveInteger)
    .option('--force', 'as for run')
    .action(does(async () => (await import('./commands/plan.ts')).planCommand));
  program
    .command('status')
    .argument('[node...]', 'nodes to show; all when none is given')
    .description('what is up to date, cached or stale')
    .action(does(async () => (await import('./commands/plan.ts')).statusCommand));
  program
    .command('lock')
    .argument('[target...]', 'what to pin; what the lock pins already, or the default group, when none is given')
    .description('pin the results in mixdown.lock, which `run` keeps from then on; commit it')
    .addOption(lockOption())
    .addHelpText('after', lockExamples)
    .action(does(async () => (await import('./commands/lock.ts')).lockCommand));
  program
    .command('check')
    .argument('[node...]', 'nodes to check; all when none is given')
    .description(
      'exit with 4 unless the pinned results, and documents, are those of the pipeline as it is; writes nothing',
    )
    .option('--junit <file>', 'write how each node stands as JUnit XML')
    .addOption(lockOption())
    .addHelpText('after', checkExamples)
    .action(does(async () => (await import('./commands/check.ts')).checkCommand));
  program
    .command('explain')
    .argument('<node...>', 'nodes to explain')
    .description('why a node would run now, and why it ran last time, component by component')
    .option('--key', 'also print the components of its key')
    .action(does(async () => (await import('./commands/explain.ts')).explainCommand));
  program
    .command('affected')
    .argument('[target...]', 'as for run')
    .description('which nodes differ because of what changed since a git revision; runs nothing')
    .requiredOption('--since <revision>', 'a branch, tag or commit; `main...` for where this branch left it')
    .option('--names', 'only the names, one a line')
    .addHelpText('after', affectedExamples)
    .action(does(async () => (await import('./commands/affected.ts')).affectedCommand));
  program
    .command('graph')
    .argument('[node...]', 'nodes to draw; all when none is given')
    .description('draw the graph')
    .addOption(new Option('--format <format>', 'output format').choices(['mermaid', 'dot', 'json']).default('mermaid'))
    .option('--expand', 'one box per variant instead of one per node name')
    .option('--status', 'colour boxes by what is stale')
    .action(does(async () => (await import('./commands/graph.ts')).graphCommand));
  program
    .command('stages')
    .argument('[name]', 'show params, inputs and outputs of this stage')
    .description('list the stages, or show one')
    .action(does(async () => (await import('./commands/stages.ts')).stagesCommand));
  program
    .command('validate')
    .description('check pipeline.yaml and the stages; print every problem at once')
    .action(does(async () => (await import('./commands/validate.ts')).validateCommand));
  program
    .command('show')
    .argument('<what>', 'node, node.output, or node.output/path for an entry of a tree')
    .description('show a result: its artifacts, metrics or log')
    .option('--metrics', 'print the metrics that the stage reported')
    .option('--log', 'print what the node printed')
    .option('--path', 'print where the bytes lie in the cache')
    .option('--to <path>', 'copy the artifact out, as ordinary writable files')
    .addHelpText('after', showExamples)
    .action(does(async () => (await import('./commands/show.ts')).showCommand));
  program
    .command('lineage')
    .argument('<what>', 'a file or folder, known by its bytes; or node, node.output, node.output/path')
    .description('what made a file, down to the sources')
    .addHelpText('after', lineageExamples)
    .action(does(async () => (await import('./commands/lineage.ts')).lineageCommand));
  program
    .command('predict')
    .argument('<model>', 'a model package: its folder, or the node that made it')
    .argument('<file...>', 'recordings; of folders, the sound files in them')
    .description('label recordings with a trained model')
    .option('--top <k>', 'classes to name for each recording', positiveInteger, 3)
    .option('-j, --jobs <n>', 'cores to use at most (default: all)', positiveInteger)
    .addHelpText('after', predictExamples)
    .action(does(async () => (await import('./commands/predict.ts')).predictCommand));
  program
    .command('metrics')
    .argument('[node...]', 'nodes to show; all that report metrics when none is given')
    .description('metrics of the last results as a table over the axes')
    .option('--run <run>', 'those of a recorded run: its id, the start of it, "latest" or "latest~1"')
    .option('--metric <name>', 'only this metric; may be repeated, or a list with commas', collectList)
    .option('--filter <axis=value>', 'only nodes with this value, such as fold=1|2; may be repeated', collect)
    .option('--sort <name>', 'by a metric, largest first, or by an axis; name:asc and name:desc say which way')
    .option('--pivot <axis>', 'make the values of an axis columns; may be repeated, or a list with commas', collectList)
    .option('--mean', 'with --pivot: add mean and standard deviation of the columns')
    .addOption(new Option('--format <format>', 'output format').choices(['text', 'md', 'csv', 'json']).default('text'))
    .option('--fail-below <metric=number>', 'exit with 1 when a node is below; may be repeated', collect)
    .addHelpText('after', metricsExamples)
    .action(does(async () => (await import('./commands/metrics.ts')).metricsCommand));
  program
    .command('render')
    .argument('[file...]', 'documents to fill; those of pipeline.yaml when none is given')
    .description('fill the marked blocks of Markdown documents from mixdown.lock, else from the last results')
    .option('--check', 'write nothing; show where text and results disagree, and exit with 4')
    .addOption(lockOption())
    .addHelpText('after', renderExamples)
    .action(does(async () => (await import('./commands/render.ts')).renderCommand));
  program
    .command('diff')
    .argument('[before]', 'a run, a lock file, or a git revision, whose mixdown.lock is meant (default: latest~1)')
    .argument('[after]', 'another (default: latest; after a revision: mixdown.lock as it is now)')
    .argument('[node...]', 'nodes to compare; all when none is given')
    .description('what differs between two runs or locks: nodes, params, code, inputs, metrics')
    .addOption(lockOption())
    .option('--over <axis>', 'pair metrics over an axis; may be repeated, or a list with commas', collectList)
    .option('--metric <name>', 'only this metric; may be repeated, or a list with commas', collectList)
    .addHelpText('after', diffExamples)
    .action(does(async () => (await import('./commands/diff.ts')).diffCommand));
  program
    .command('runs')
    .argument('[run]', 'show this run (its id, the start of it, or "latest")')
    .description('list the runs that were recorded, or show one')
    .option('--limit <n>', 'list at most so many', positiveInteger, 20)
    .action(does(async () => (await import('./commands/runs.ts')).runsCommand));
  program
    .command('trace')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('print a recorded run as a trace that Perfetto and chrome://tracing open')
    .addHelpText('after', traceExamples)
    .action(does(async () => (await import('./commands/trace.ts')).traceCommand));
  program
    .command('report')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('write one HTML file about a run: results, what ran and why, timeline, where each file is from')
    .option('-o, --output <path>', 'the file to write, or - for stdout (default: report.html in the folder of the run)')
    .addOption(lockOption())
    .addHelpText('after', reportExamples)
    .action(does(async () => (await import('./commands/report.ts')).reportCommand));
  program
    .command('prov')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('print where the results of a recorded run are from, in the W3C form PROV-JSON')
    .addHelpText('after', provExamples)
    .action(does(async () => (await import('./commands/prov.ts')).provCommand));
  program
    .command('gc')
    .description('delete from the cache what no run record and no last result needs; without --yes only says what')
    .addHelpText('after', gcExamples)
    .option('--older-than <age>', 'also results that nobody used for this long, such as 30d or 12h')
    .option('--max-size <size>', 'then the least recently used, until the cache is no larger, such as 20GiB')
    .option('--yes', 'delete, instead of only saying what would be deleted')
    .action(does(async () => (await import('./commands/gc.ts')).gcCommand));
  addCacheCommands(program.command('cache').description('share results with other machines'), does);
  program
    .command('verify')
    .description('read every blob of the cache again and set damaged ones aside')
    .action(does(async () => (await import('./commands/verify.ts')).verifyCommand));
  program
    .command('clean')
    .description('delete what runs left behind: work folders and failed folders; results stay')
    .option('--runs', 'also delete the run records')
    .option('--keep <n>', 'with --runs: keep the newest n', wholeNumber, 0)
    .option('--checkpoints', 'also delete what stopped jobs would go on from')
    .option('--all', 'delete the run records and the whole cache with all results')
    .option('--yes', 'do not ask before all is deleted')
    .action(does(async () => (await import('./commands/clean.ts')).cleanCommand));
  program
    .command('devices')
    .description('what this machine offers to a run: cores, GPUs, tensor engines')
    .option('--refresh', 'try the tensor engines again, whatever is remembered')
    .action(does(async () => (await import('./commands/devices.ts')).devicesCommand));
  program
    .command('doctor')
    .description('check this machine and project for what commonly goes wrong')
    .option('--refresh', 'as for devices')
    .action(does(async () => (await import('./commands/doctor.ts')).doctorCommand));
  program
    .command('init')
    .description('write a small pipeline.yaml and a stage to start from; never overwrites')
    .action(does(async () => (await import('./commands/init.ts')).initCommand));
  program
    .command('ci')
    .addArgument(program.createArgument('<what>', 'init: write the workflow').choices(['init']))
    .description('write a GitHub Actions workflow that is fitted to this project')
    .option('--force', 'write over a workflow that is there')
    .addHelpText('after', ciExamples)
    .action(does(async () => (await import('./commands/ci.ts')).ciCommand));
  program
    .command('import')
    .argument('<dvc.yaml>', 'a pipeline of DVC')
    .description('write pipeline.yaml from a pipeline of DVC, and say what is to be done by hand')
    .option('-o, --output <path>', 'the file to write (default: pipeline.yaml beside it)')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', importExamples)
    .action(does(async () => (await import('./commands/import.ts')).importCommand));
  program
    .command('completion')
    .addArgument(program.createArgument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .description('print a completion script')
    .addHelpText('after', completionExamples)
    .action(
      does(async () => {
        const {completionCommand} = await import('./commands/completion.ts');
        return (context, shell: 'bash' | 'zsh' | 'fish') => completionCommand(context, shell, vocabulary(program));
      }),
    );
  program
    .command('__names', {hidden: true})
    .description('names that complete a selection, one a line')
    .action(does(async () => (await import('./commands/completion.ts')).namesCommand));
  return program;
}

type Does = (load: () => Promise<Action>) => (...args: unknown[]) => Promise<void>;

function addCacheCommands(cache: Command, does: Does): void {
  cache.addHelpText('after', cacheExamples);
  cache
    .command('push')
    .argument('[node...]', 'nodes whose results to send; all when none is given')
    .description('send results to the remote cache')
    .action(does(async () => (await import('./commands/cache.ts')).cachePushCommand));
  cache
    .command('pull')
    .argument('[node...]', 'nodes whose results to fetch; the default group when none is given')
    .description('fetch results with all their bytes from the remote cache; nothing is run')
    .action(does(async () => (await import('./commands/cache.ts')).cachePullCommand));
  cache
    .command('stat')
    .argument('[node...]', 'nodes to look for; all when none is given')
    .description('say which remote cache is used, and which results are there')
    .action(does(async () => (await import('./commands/cache.ts')).cacheStatCommand));
}

function vocabulary(program: Command): Vocabulary {
  const globals = flagsOf(program);
  return program.commands
    .filter((command) => !command.name().startsWith('__'))
    .map((command) => ({
      name: command.name(),
      about: command.description(),
      options: [...flagsOf(command), ...globals],
    }));
}

function flagsOf(command: Command): {flag: string; about: string}[] {
  return command.options.flatMap((option) => (option.long ? {flag: option.long, about: option.description} : []));
}

function addGlobals(program: Command): void {
  program
    .option('-f, --file <path>', 'the pipeline file (default: the nearest pipeline.yaml upwards)')
    .option('-C, --directory <dir>', 'start in this folder')
    .option('--profile <name>', 'use a profile of the pipeline; may be repeated', collect)
    .option('--set <key=json>', 'set a variable, such as --set folds=[1,2]; may be repeated', collect)
    .option('--cache <dir>', 'where results are kept (default: cache/, or $MIXDOWN_CACHE_DIR)')
    .addOption(
      new Option('--engine <name>', 'compute tensors with this engine; see `mixdown devices`').choices(engineNames),
    )
    .option('--json', 'print JSON for programs')
    .option('--verbose', 'say more')
    .option('--quiet', 'say only what went wrong')
    .option('--no-color', 'no colours');
}

function lockOption(): Option {
  return new Option('--lock <file>', 'the lock (default: mixdown.lock, mixdown.PROFILE.lock with a profile)');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function collectList(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}

function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
