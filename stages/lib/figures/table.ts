/** A table to print: what it says, without the marks of a format. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** Columns that are text and stand left; the others are numbers and stand right. The first unless it is said. */
  readonly textColumns?: readonly number[];
  /** A text column whose cells may need several lines. */
  readonly longColumn?: number;
  readonly rows: readonly (readonly Cell[])[];
  /** Paragraphs below the table, each of one or more lines. */
  readonly notes: readonly (readonly string[])[];
}

export interface Cell {
  readonly text: string;
  /** The best of its column. */
  readonly best?: boolean;
  /** Gray in LaTeX; the text tells it in the other formats. */
  readonly marked?: boolean;
}

/** Github's tables, the columns of one width in the source too. */
export function markdownTable(table: Table): string {
  const {title, head, rows, notes} = table;
  const cell = ({text, best}: Cell): string => (best === true ? `**${escapedMarkdown(text)}**` : escapedMarkdown(text));
  const cells = [head.map(escapedMarkdown), ...rows.map((row) => row.map(cell))];
  // A rule needs three characters.
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => widthOf(row[column] ?? ''))));
  const isText = (column: number): boolean => isTextColumn(table, column);
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => padded(cell, widths[i] ?? 0, isText(i))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [first = [], ...body] = cells;
  const paragraphs = notes.flatMap((lines) => ['', ...lines.map(escapedMarkdown)]);
  return [`# ${escapedMarkdown(title)}`, '', line(first), line(rule), ...body.map(line), ...paragraphs, ''].join('\n');
}

/** A float with the rules of package booktabs, to be taken in by \input. */
export function latexTable(table: Table): string {
  const {title, head, rows, notes} = table;
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  const cell = ({text, best, marked}: Cell): string => {
    const own = best === true ? `\\textbf{${latexText(text)}}` : latexText(text);
    return marked === true ? `\\cellcolor[gray]{0.85}${own}` : own;
  };
  const columns = head.map((_, i) =>
    i === table.longColumn ? 'p{0.5\\linewidth}' : isTextColumn(table, i) ? 'l' : 'r',
  );
  const isGray = rows.some((row) => row.some(({marked}) => marked === true));
  return [
    `% needs \\usepackage{booktabs${isGray ? ',colortbl' : ''}}`,
    '\\begin{table}',
    '  \\centering',
    ...(head.length > MOST_AT_FULL_SIZE ? ['  \\footnotesize\\setlength{\\tabcolsep}{3pt}'] : []),
    `  \\caption{${latexText(title)}}`,
    `  \\begin{tabular}{${columns.join('')}}`,
    '    \\toprule',
    line(head.map(latexText)),
    '    \\midrule',
    ...rows.map((row) => line(row.map(cell))),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...notes.flat().map((note) => `  \\par\\smallskip{\\footnotesize ${latexText(note)}\\par}`),
    '\\end{table}',
    '',
  ].join('\n');
}

/** Columns that a page has room for. */
const MOST_AT_FULL_SIZE = 6;

function isTextColumn({textColumns = [0]}: Table, column: number): boolean {
  return textColumns.includes(column);
}

/** Line breaks would end a row, and an empty line the argument of \caption. */
function latexText(text: string): string {
  if (text === 'inf') return '$\\infty$';
  if (text === '-') return '--';
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\{}$&#%_^~<>|"αβ±≥≤]|\bd'(?!\w)|(?<=^\s*)[*[]/g, (special) => LATEX[special] ?? `\\${special}`);
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '^': '\\textasciicircum{}',
  '~': '\\textasciitilde{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  α: '$\\alpha$',
  β: '$\\beta$',
  '±': '$\\pm$',
  '≥': '$\\geq$',
  '≤': '$\\leq$',
  // At the start of a row they would belong to the line end before.
  '[': '{[}',
  '*': '{*}',
  "d'": "$d'$",
};

/** Text stays as it is where Markdown sees nothing in it: names such as Hi_hat, and stars behind a number. */
function escapedMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(
      /[|`]|\\(?=[!-/:-@[-`{-~])|\*(?=[^\s*)])|<(?=[a-z/!?])|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/giu,
      '\\$&',
    );
}

function padded(text: string, width: number, left: boolean): string {
  const room = ' '.repeat(width - widthOf(text));
  return left ? text + room : room + text;
}

/** Columns of a terminal or an editor. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width += /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}]/u.test(
      character,
    )
      ? 2
      : 1;
  }
  return width;
}
