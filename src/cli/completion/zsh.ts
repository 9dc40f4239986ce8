import type {Vocabulary, Word} from './vocabulary.ts';

/** A script for zsh. */
export function zsh(vocabulary: Vocabulary): string {
  return `#compdef mixdown
_mixdown_names() {
  local -a names
  names=(\${(f)"$(mixdown __names 2>/dev/null)"})
  compadd -a names
}
_mixdown() {
  local -a commands
${choice(vocabulary, '  ')}
}
_mixdown "$@"
`;
}

/** Completes one of these commands, or what follows it. */
function choice(vocabulary: Vocabulary, indent: string): string {
  const commands = vocabulary.map(({name, about}) => `  ${quote(`${name}:${about.replaceAll(':', '\\:')}`)}`);
  const cases = vocabulary.map((word) =>
    word.subcommands.length === 0
      ? `  ${word.name}) ${argumentsOf(word)} ;;`
      : `  ${word.name})\n${choice(word.subcommands, '    ')}\n    ;;`,
  );
  const lines = [
    'commands=(',
    ...commands,
    ')',
    'if (( CURRENT == 2 )); then',
    '  _describe command commands',
    '  return',
    'fi',
    'shift words',
    '(( CURRENT-- ))',
    'case $words[1] in',
    ...cases,
    'esac',
  ];
  return lines.map((line) => line.replaceAll(/^/gm, indent)).join('\n');
}

function argumentsOf({options, takesNames, choices}: Word): string {
  const flags = options.map(({flag, about}) => quote(`${flag}[${about.replaceAll(/[[\]]/g, '')}]`)).join(' ');
  const rest = takesNames ? ` '*:node:_mixdown_names'` : choices.length > 0 ? ` '1:what:(${choices.join(' ')})'` : '';
  return `_arguments ${flags}${rest}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
