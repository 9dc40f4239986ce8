import {Option, type Command} from 'commander';
import {
  diffExamples,
  lineageExamples,
  metricsExamples,
  predictExamples,
  provExamples,
  reportExamples,
  showExamples,
  traceExamples,
} from '../examples.ts';
import {collect, collectList, lockOption, positiveInteger, type Does} from './arguments.ts';

/** Commands that show what came out, and what happened. */
export function addResults(program: Command, does: Does): void {
  program.commandsGroup('Results and runs');
  program
    .command('show')
    .argument('<what>', 'node, node.output, or node.output/path for an entry of a tree')
    .description('show a result: its artifacts, metrics or log')
    .option('--metrics', 'print the metrics that the stage reported')
    .option('--log', 'print what the node printed')
    .option('--path', 'print where the bytes lie in the cache')
    .option('--to <path>', 'copy the artifact out, as ordinary writable files')
    .addHelpText('after', showExamples)
    .action(does(async () => (await import('../commands/show.ts')).showCommand));
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
    .action(does(async () => (await import('../commands/metrics.ts')).metricsCommand));
  program
    .command('lineage')
    .argument('<what>', 'a file or folder, known by its bytes; or node, node.output, node.output/path')
    .description('what made a file, down to the sources')
    .addHelpText('after', lineageExamples)
    .action(does(async () => (await import('../commands/lineage.ts')).lineageCommand));
  program
    .command('predict')
    .argument('<model>', 'a model package: its folder, or the node that made it')
    .argument('<file...>', 'recordings; of folders, the sound files in them')
    .description('label recordings with a trained model')
    .option('--top <k>', 'classes to name for each recording', positiveInteger, 3)
    .option('-j, --jobs <n>', 'cores to use at most (default: all)', positiveInteger)
    .addHelpText('after', predictExamples)
    .action(does(async () => (await import('../commands/predict.ts')).predictCommand));
  program
    .command('diff')
    .argument('[before]', 'a run, a lock file, or a git revision, whose mixdown.lock is meant (default: latest~1)')
    .argument('[after]', 'another (default: latest; after a revision: mixdown.lock as it is now)')
    .argument('[node...]', 'nodes to compare; all when none is given')
    .description('what differs between two runs, git revisions or locks: nodes, params, code, inputs, metrics')
    .addOption(lockOption())
    .option('--over <axis>', 'pair metrics over an axis; may be repeated, or a list with commas', collectList)
    .option('--metric <name>', 'only this metric; may be repeated, or a list with commas', collectList)
    .addHelpText('after', diffExamples)
    .action(does(async () => (await import('../commands/diff.ts')).diffCommand));
  program
    .command('runs')
    .argument('[run]', 'show this run (its id, the start of it, or "latest")')
    .description('list the runs that were recorded, or show one')
    .option('--limit <n>', 'list at most so many', positiveInteger, 20)
    .action(does(async () => (await import('../commands/runs.ts')).runsCommand));
  program
    .command('report')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('write one HTML file about a run: results, what ran and why, timeline, where each file is from')
    .option('-o, --output <path>', 'the file to write, or - for stdout (default: report.html in the folder of the run)')
    .addOption(lockOption())
    .addHelpText('after', reportExamples)
    .action(does(async () => (await import('../commands/report.ts')).reportCommand));
  program
    .command('trace')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('print a recorded run as a trace that Perfetto and chrome://tracing open')
    .addHelpText('after', traceExamples)
    .action(does(async () => (await import('../commands/trace.ts')).traceCommand));
  program
    .command('prov')
    .argument('[run]', 'as for runs; the newest when none is given')
    .description('print where the results of a recorded run are from, in the W3C form PROV-JSON')
    .addHelpText('after', provExamples)
    .action(does(async () => (await import('../commands/prov.ts')).provCommand));
}
