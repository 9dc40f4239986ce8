import type {Command} from 'commander';

/** What can be completed of a command. */
export interface Word {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Flag[];
  /** Values of its first argument, where only some are taken. */
  readonly choices: readonly string[];
  /** Its first argument is a node or a target group. */
  readonly takesNames: boolean;
  readonly subcommands: Vocabulary;
}

export interface Flag {
  readonly flag: string;
  readonly about: string;
}

export type Vocabulary = readonly Word[];

/** Arguments that are nodes or groups, by what the help calls them. */
const named: ReadonlySet<string> = new Set(['node', 'target', 'what']);

/** The commands below this one, each with its options and those of the program. */
export function vocabularyOf(command: Command, globals: readonly Flag[] = flagsOf(command)): Vocabulary {
  return command.commands
    .filter((each) => !each.name().startsWith('__'))
    .map((each) => {
      const [first] = each.registeredArguments;
      const choices = first?.argChoices ?? [];
      return {
        name: each.name(),
        about: each.description(),
        options: [...flagsOf(each), ...globals],
        choices,
        takesNames: choices.length === 0 && named.has(first?.name() ?? ''),
        subcommands: vocabularyOf(each, globals),
      };
    });
}

function flagsOf(command: Command): readonly Flag[] {
  return command.options.flatMap((option) => (option.long ? {flag: option.long, about: option.description} : []));
}
