import {Option, type Command} from 'commander';
import {executorNames} from '../../core/executor.ts';
import {affectedExamples, runExamples, watchExamples} from '../examples.ts';
import {collect, lockOption, positiveInteger, type Does} from './arguments.ts';

/** Commands that build, and that say what building would do. */
export function addBuilding(program: Command, does: Does): void {
  program.commandsGroup('Building');
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
    .addOption(executorOption('where nodes run: here, or on a cluster'))
    .option('--force', 'run the named nodes again although a result is there')
    .option('-n, --dry-run', 'only say what would run, as `plan` does')
    .option('--junit <file>', 'write what became of each node as JUnit XML')
    .option('--since <revision>', 'only those targets that `affected` finds changed since a git revision')
    .option('--frozen', 'fail with 4 when the lock would have to change, or values drifted from it')
    .option('--accept <node>', 'take over the values of a node that drifted; may be repeated', collect)
    .option('--reason <text>', 'with --accept: why, which the lock keeps')
    .addOption(lockOption())
    .addHelpText('after', runExamples)
    .action(does(async () => (await import('../commands/run.ts')).runCommand));
  program
    .command('watch')
    .argument('[target...]', 'as for run')
    .description('run, and run again what becomes stale whenever a source, a stage or pipeline.yaml changes')
    .option('-j, --jobs <n>', 'as for run', positiveInteger)
    .addOption(
      new Option('--on-failure <mode>', 'as for run').choices(['stop', 'continue', 'kill']).default('continue'),
    )
    .addOption(executorOption('as for run'))
    .addHelpText('after', watchExamples)
    .action(does(async () => (await import('../commands/watch.ts')).watchCommand));
  program
    .command('plan')
    .argument('[target...]', 'as for run')
    .description('say what `run` would do, and why; nothing is written')
    .option('-j, --jobs <n>', 'cores that the time is forecast for', positiveInteger)
    .addOption(executorOption('as for run'))
    .option('--force', 'as for run')
    .action(does(async () => (await import('../commands/plan.ts')).planCommand));
  program
    .command('status')
    .argument('[node...]', 'nodes to show; all when none is given')
    .description('what is up to date, cached or stale')
    .action(does(async () => (await import('../commands/plan.ts')).statusCommand));
  program
    .command('explain')
    .argument('<node...>', 'nodes to explain')
    .description('why a node would run now, and why it ran last time, component by component')
    .option('--key', 'also print the components of its key')
    .action(does(async () => (await import('../commands/explain.ts')).explainCommand));
  program
    .command('affected')
    .argument('[target...]', 'as for run')
    .description('which nodes differ because of what changed since a git revision; runs nothing')
    .requiredOption('--since <revision>', 'a branch, tag or commit; `main...` for where this branch left it')
    .option('--names', 'only the names, one a line')
    .addHelpText('after', affectedExamples)
    .action(does(async () => (await import('../commands/affected.ts')).affectedCommand));
  program
    .command('graph')
    .argument('[node...]', 'nodes to draw; all when none is given')
    .description('draw the graph')
    .addOption(new Option('--format <format>', 'output format').choices(['mermaid', 'dot', 'json']).default('mermaid'))
    .option('--expand', 'one box per variant instead of one per node name')
    .option('--status', 'colour boxes by what is stale')
    .action(does(async () => (await import('../commands/graph.ts')).graphCommand));
  program
    .command('stages')
    .argument('[name]', 'show params, inputs and outputs of this stage')
    .description('list the stages, or show one')
    .action(does(async () => (await import('../commands/stages.ts')).stagesCommand));
  program
    .command('validate')
    .description('check pipeline.yaml and the stages; print every problem at once')
    .action(does(async () => (await import('../commands/validate.ts')).validateCommand));
}

function executorOption(text: string): Option {
  return new Option('--executor <name>', text).choices(executorNames);
}
