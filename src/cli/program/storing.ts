import type {Command} from 'commander';
import {cacheExamples, gcExamples} from '../examples.ts';
import {wholeNumber, type Does} from './arguments.ts';

/** Commands that look after the cache. */
export function addStoring(program: Command, does: Does): void {
  program.commandsGroup('The cache');
  addCacheCommands(program.command('cache').description('share results with other machines'), does);
  program
    .command('gc')
    .description('delete from the cache what no run record and no last result needs; without --yes only says what')
    .addHelpText('after', gcExamples)
    .option('--older-than <age>', 'also results that nobody used for this long, such as 30d or 12h')
    .option('--max-size <size>', 'then the least recently used, until the cache is no larger, such as 20GiB')
    .option('--yes', 'delete, instead of only saying what would be deleted')
    .action(does(async () => (await import('../commands/gc.ts')).gcCommand));
  program
    .command('verify')
    .description('read every blob of the cache again and set damaged ones aside')
    .action(does(async () => (await import('../commands/verify.ts')).verifyCommand));
  program
    .command('clean')
    .description('delete what runs left behind: work folders and failed folders; results stay')
    .option('--runs', 'also delete the run records')
    .option('--keep <n>', 'with --runs: keep the newest n', wholeNumber, 0)
    .option('--checkpoints', 'also delete what stopped jobs would go on from')
    .option('--all', 'delete the run records and the whole cache with all results')
    .option('--yes', 'do not ask before all is deleted')
    .action(does(async () => (await import('../commands/clean.ts')).cleanCommand));
}

function addCacheCommands(cache: Command, does: Does): void {
  cache.addHelpText('after', cacheExamples);
  cache
    .command('push')
    .argument('[node...]', 'nodes whose results to send; the default group and all that it needs when none is given')
    .description('send results to the remote cache')
    .action(does(async () => (await import('../commands/cache.ts')).cachePushCommand));
  cache
    .command('pull')
    .argument('[node...]', 'nodes whose results to fetch; the default group when none is given')
    .description('fetch results with all their bytes from the remote cache; nothing is run')
    .action(does(async () => (await import('../commands/cache.ts')).cachePullCommand));
  cache
    .command('stat')
    .argument('[node...]', 'nodes to look for; the default group and all that it needs when none is given')
    .description('say which remote cache is used, whom it is shared with, and which results are there')
    .action(does(async () => (await import('../commands/cache-stat.ts')).cacheStatCommand));
  cache
    .command('key')
    .description('make a key that signs results, and print its public half; of a key that is there, only that')
    .option('--out <file>', 'where the private key is kept (default: ~/.config/mixdown/key.pem)')
    .action(does(async () => (await import('../commands/cache-key.ts')).cacheKeyCommand));
  cache
    .command('trust')
    .argument('[who...]', 'who it is: a voucher, the name of a namespace or builder, or how the hash of a key begins')
    .description('use results again of somebody who vouched for a wrong one; without names says who that is')
    .option('--all', 'everybody')
    .action(does(async () => (await import('../commands/trust.ts')).cacheTrustCommand));
  cache
    .command('distrust')
    .argument('<who...>', 'public keys as in `trust`, or vouchers: `key:HASH`, `namespace:NAME`')
    .requiredOption('--reason <text>', 'why, for those who come later')
    .description('use nothing any more of somebody, also of what was taken before')
    .action(does(async () => (await import('../commands/trust.ts')).cacheDistrustCommand));
  cache
    .command('promote')
    .argument('[node...]', 'nodes whose results to promote; the default group and all that it needs when none is given')
    .requiredOption('--from <namespace>', 'where the results lie')
    .description('take results for this checkout over from another namespace, once every byte of them was read')
    .action(does(async () => (await import('../commands/cache-promote.ts')).cachePromoteCommand));
}
