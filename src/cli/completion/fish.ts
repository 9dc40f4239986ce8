import type {Vocabulary, Word} from './vocabulary.ts';

/** A script for fish. */
export function fish(vocabulary: Vocabulary): string {
  const lines = vocabulary.flatMap((word) => [
    `complete -c mixdown -n __fish_use_subcommand -f -a ${word.name} -d ${quote(word.about)}`,
    ...linesOf(word, seen([word])),
    ...word.subcommands.flatMap((sub) => [
      `complete -c mixdown -n ${quote(`${seen([word])}; and not ${seen(word.subcommands)}`)} -f -a ${sub.name} -d ${quote(sub.about)}`,
      ...linesOf({...sub, options: own(sub, word)}, `${seen([word])}; and ${seen([sub])}`),
    ]),
  ]);
  return `# fish completion for mixdown\n${lines.join('\n')}\n`;
}

function linesOf({options, takesNames, choices}: Word, condition: string): readonly string[] {
  const when = `complete -c mixdown -n ${quote(condition)}`;
  return [
    ...options.map(({flag, about}) => `${when} -l ${flag.slice(2)} -d ${quote(about)}`),
    ...(takesNames ? [`${when} -f -a '(mixdown __names 2>/dev/null)'`] : []),
    ...(choices.length > 0 ? [`${when} -f -a ${quote(choices.join(' '))}`] : []),
  ];
}

/** What the command above does not have as well. */
function own({options}: Word, above: Word): Word['options'] {
  return options.filter(({flag}) => !above.options.some((each) => each.flag === flag));
}

function seen(words: Vocabulary): string {
  return `__fish_seen_subcommand_from ${words.map(({name}) => name).join(' ')}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
