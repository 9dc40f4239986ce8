/** A table to print: what it says, without the marks of a format. */
export interface Table {
  readonly title: string;
  /** Of the columns. The first column is text and stands left, the others are numbers and stand right. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Paragraphs below the table, each of one or more lines. */
  readonly notes: readonly (readonly string[])[];
}

export interface Cell {
  readonly text: string;
  /** The best of its column. */
  readonly best?: boolean;
}

/** Github's tables, the columns of one width in the source too. */
export function markdownTable({title, head, rows, notes}: Table): string {
  const cells = [head, ...rows.map((row) => row.map(({text, best}) => (best === true ? `**${text}**` : text)))].map(
    (row) => row.map(escapedMarkdown),
  );
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [first = [], ...body] = cells;
  const paragraphs = notes.flatMap((lines) => ['', ...lines.map(escapedMarkdown)]);
  return [`# ${title}`, '', line(first), line(rule), ...body.map(line), ...paragraphs, ''].join('\n');
}

/** A float with the rules of package booktabs, to be taken in by \input. */
export function latexTable({title, head, rows, notes}: Table): string {
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  const cell = ({text, best}: Cell): string => (best === true ? `\\textbf{${latexText(text)}}` : latexText(text));
  return [
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(title)}}`,
    `  \\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
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

/** Line breaks would end a row, and an empty line the argument of \caption. */
function latexText(text: string): string {
  if (text === 'inf') return '$\\infty$';
  if (text === '-') return '--';
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\{}$&#%_^~<>|"]|\bd'(?!\w)/g, (special) => LATEX[special] ?? `\\${special}`);
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '^': '\\textasciicircum{}',
  '~': '\\textasciitilde{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  "d'": "$d'$",
};

function escapedMarkdown(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
