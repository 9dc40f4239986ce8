import {Command, CommanderError, Option} from 'commander';
import {FailureError} from '../core/failure.ts';
import {engineNames} from '../core/tensor-engine.ts';
import {makeContext, noGlobals, type Globals} from './context.ts';
import {completionExamples, examples} from './examples.ts';
import {exitCodes, type ExitCode} from './exit.ts';
import type {Io} from './io.ts';
import {collect, type Does} from './program/arguments.ts';
import {addBuilding} from './program/building.ts';
import {addPinning} from './program/pinning.ts';
import {addResults} from './program/results.ts';
import {addSettingUp} from './program/setting-up.ts';
import {addStoring} from './program/storing.ts';

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

  const does: Does =
    (load) =>
    async (...args) => {
      const command = args.pop() as Command;
      const context = makeContext(io, {...noGlobals, ...command.optsWithGlobals<Partial<Globals>>()});
      const action = await load();
      try {
        end(await action(context, ...(args as never[])));
      } catch (error) {
        // A disk that is full, or a folder that cannot be written to, is no bug.
        if (!(error instanceof FailureError)) throw error;
        end(context.fail([error.failure]));
      }
    };

  addBuilding(program, does);
  addResults(program, does);
  addPinning(program, does);
  addStoring(program, does);
  addSettingUp(program, does);
  program
    .command('completion')
    .addArgument(program.createArgument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .description('print a completion script')
    .addHelpText('after', completionExamples)
    .action(
      does(async () => {
        const [{completionCommand}, {vocabularyOf}] = await Promise.all([
          import('./commands/completion.ts'),
          import('./completion/vocabulary.ts'),
        ]);
        return (context, shell: 'bash' | 'zsh' | 'fish') => completionCommand(context, shell, vocabularyOf(program));
      }),
    );
  program
    .command('__names', {hidden: true})
    .description('names that complete a selection, one a line')
    .action(does(async () => (await import('./commands/completion.ts')).namesCommand));
  return program;
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
