import type {Command} from 'commander';
import {checkExamples, ciExamples, lockExamples, renderExamples} from '../examples.ts';
import {lockOption, type Does} from './arguments.ts';

/** Commands that hold results, texts and the pipeline together. */
export function addPinning(program: Command, does: Does): void {
  program.commandsGroup('Results that stay true');
  program
    .command('lock')
    .argument('[target...]', 'what to pin; what the lock pins already, or the default group, when none is given')
    .description('pin the results in mixdown.lock, which `run` keeps from then on; commit it')
    .addOption(lockOption())
    .addHelpText('after', lockExamples)
    .action(does(async () => (await import('../commands/lock.ts')).lockCommand));
  program
    .command('check')
    .argument('[node...]', 'nodes to check; all when none is given')
    .description(
      'exit with 4 unless the pinned results, and documents, are those of the pipeline as it is; writes nothing',
    )
    .option('--junit <file>', 'write how each node stands as JUnit XML')
    .addOption(lockOption())
    .addHelpText('after', checkExamples)
    .action(does(async () => (await import('../commands/check.ts')).checkCommand));
  program
    .command('render')
    .argument('[file...]', 'documents to fill; those of pipeline.yaml when none is given')
    .description('fill the marked blocks of Markdown documents from mixdown.lock, else from the last results')
    .option('--check', 'write nothing; show where text and results disagree, and exit with 4')
    .addOption(lockOption())
    .addHelpText('after', renderExamples)
    .action(does(async () => (await import('../commands/render.ts')).renderCommand));
  program
    .command('ci')
    .addArgument(program.createArgument('<what>', 'init: write the workflow').choices(['init']))
    .description('write a GitHub Actions workflow that is fitted to this project')
    .option('--force', 'write over a workflow that is there')
    .addHelpText('after', ciExamples)
    .action(does(async () => (await import('../commands/ci.ts')).ciCommand));
}
