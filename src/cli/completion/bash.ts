import type {Vocabulary, Word} from './vocabulary.ts';

/** A script for bash. */
export function bash(vocabulary: Vocabulary): string {
  const groups = vocabulary.filter(({subcommands}) => subcommands.length > 0);
  const all = vocabulary.flatMap((word) => [
    {...word, path: word.name},
    ...word.subcommands.map((sub) => ({...sub, path: `${word.name} ${sub.name}`})),
  ]);
  const cases = all.map((word) => `    '${word.path}') flags="${flagsText(word)}" ${wordsOf(word)} ;;`);
  // What every command takes may also stand before it.
  const common = (vocabulary[0]?.options ?? []).filter(({flag}) =>
    vocabulary.every(({options}) => options.some((each) => each.flag === flag)),
  );
  return `# bash completion for mixdown
_mixdown() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' word words='' flags=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) continue ;; esac
    case $command in
      '') command=$word ;;
${groups.length > 0 ? `      ${groups.map(({name}) => name).join('|')}) command="$command $word" ;;\n` : ''}    esac
  done
  case $command in
    '') flags="${common.map(({flag}) => flag).join(' ')}" words="${vocabulary.map(({name}) => name).join(' ')}" ;;
${cases.join('\n')}
  esac
  [[ $current == -* ]] && words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mixdown mixdown
`;
}

function flagsText({options}: Word): string {
  return options.map(({flag}) => flag).join(' ');
}

/** Where there is nothing else to say, the options are offered. */
function wordsOf({takesNames, choices, subcommands}: Word): string {
  if (takesNames) return 'words=$(mixdown __names 2>/dev/null)';
  const words = [...choices, ...subcommands.map(({name}) => name)];
  return words.length > 0 ? `words="${words.join(' ')}"` : 'words=$flags';
}
