import {failure} from '../../core/failure.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';

/** Commands with their options, for the completion scripts. */
export type Vocabulary = readonly {
  readonly name: string;
  readonly about: string;
  readonly options: readonly {readonly flag: string; readonly about: string}[];
}[];

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

const takesNames = ['run', 'watch', 'plan', 'status', 'explain', 'graph', 'show', 'metrics', 'affected'];

function bash(vocabulary: Vocabulary): string {
  const cases = vocabulary.map(
    ({name, options}) => `    ${name}) words="${options.map(({flag}) => flag).join(' ')}" ;;`,
  );
  // What every command takes may also stand before it.
  const [first] = vocabulary;
  const common = (first?.options ?? []).filter(({flag}) =>
    vocabulary.every(({options}) => options.some((each) => each.flag === flag)),
  );
  return `# bash completion for mixdown
_mixdown() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
    '') words="${vocabulary.map(({name}) => name).join(' ')}"
      [[ $current == -* ]] && words="${common.map(({flag}) => flag).join(' ')}" ;;
${cases.join('\n')}
  esac
  case $command in
    ${takesNames.join('|')}) [[ $current == -* ]] || words=$(mixdown __names 2>/dev/null) ;;
    completion) [[ $current == -* ]] || words='bash zsh fish' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mixdown mixdown
`;
}

function zsh(vocabulary: Vocabulary): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const commands = vocabulary.map(({name, about}) => `    ${quote(`${name}:${about.replaceAll(':', '\\:')}`)}`);
  const cases = vocabulary.map(({name, options}) => {
    const flags = options.map(({flag, about}) => quote(`${flag}[${about.replaceAll(/[[\]]/g, '')}]`)).join(' ');
    const rest = takesNames.includes(name)
      ? ` '*:node:_mixdown_names'`
      : name === 'completion'
        ? ` '1:shell:(bash zsh fish)'`
        : '';
    return `    ${name}) _arguments ${flags}${rest} ;;`;
  });
  return `#compdef mixdown
_mixdown_names() {
  local -a names
  names=(\${(f)"$(mixdown __names 2>/dev/null)"})
  compadd -a names
}
_mixdown() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
_mixdown "$@"
`;
}

function fish(vocabulary: Vocabulary): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = vocabulary.flatMap(({name, about, options}) => [
    `complete -c mixdown -n __fish_use_subcommand -f -a ${name} -d ${quote(about)}`,
    ...options.map(
      ({flag, about: text}) =>
        `complete -c mixdown -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d ${quote(text)}`,
    ),
  ]);
  return `# fish completion for mixdown
${lines.join('\n')}
complete -c mixdown -n '__fish_seen_subcommand_from ${takesNames.join(' ')}' -f -a '(mixdown __names 2>/dev/null)'
complete -c mixdown -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'
`;
}
