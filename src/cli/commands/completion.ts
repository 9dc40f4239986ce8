import {failure} from '../../core/failure.ts';
import {bash} from '../completion/bash.ts';
import {fish} from '../completion/fish.ts';
import type {Vocabulary} from '../completion/vocabulary.ts';
import {zsh} from '../completion/zsh.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';

/** Prints a script that completes commands, options and, by asking `mixdown __names`, nodes and target groups. */
export function completionCommand(
  context: Context,
  shell: 'bash' | 'zsh' | 'fish',
  vocabulary: Vocabulary,
): Promise<ExitCode> {
  if (context.globals.json) {
    return Promise.resolve(
      context.fail([failure('usage', 'a completion script is for a shell; there is no JSON of it')]),
    );
  }
  const scripts = {bash, zsh, fish};
  context.print(scripts[shell](vocabulary));
  return Promise.resolve(exitCodes.done);
}

/** Node names, then target groups, one a line. Says nothing when the pipeline cannot be read: a shell is listening. */
export async function namesCommand(context: Context): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return exitCodes.done;
  const {nodes, targets} = loaded.value.pipeline;
  const names = new Set([...nodes.map(({name}) => name), ...Object.keys(targets)]);
  context.print([...names].join('\n'));
  return exitCodes.done;
}
