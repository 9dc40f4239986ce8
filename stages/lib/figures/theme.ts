/** Colours of one kind of page. */
export interface Theme {
  readonly ground: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  /** Of lines and bars, in order; each has a contrast of 3 or more against the ground. */
  readonly series: readonly string[];
  /** Of the cells of a matrix, drawn the more opaque the fuller they are. */
  readonly cell: string;
  /** Of text on a full cell. */
  readonly onCell: string;
}

export const LIGHT: Theme = {
  ground: '#ffffff',
  ink: '#1f2328',
  muted: '#59636e',
  grid: '#dfe3e8',
  series: ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#0f7c85', '#9a6700', '#57606a'],
  cell: '#0550ae',
  onCell: '#ffffff',
};

export const DARK: Theme = {
  ground: '#0d1117',
  ink: '#e6edf3',
  muted: '#9198a1',
  grid: '#2b323b',
  series: ['#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#f778ba', '#39c5cf', '#d29922', '#a5adb6'],
  cell: '#1f6feb',
  onCell: '#ffffff',
};

/** Series of one colour differ in how their lines are broken, and how opaque their bars are. */
export function seriesClass(index: number): string {
  const colour = `s${index % LIGHT.series.length}`;
  const round = Math.floor(index / LIGHT.series.length) % DASHES.length;
  return round === 0 ? colour : `${colour} d${round}`;
}

/** Rules of the picture's classes: `prefers-color-scheme` chooses the theme, and what does not know it shows the light one. */
export function styleSheet(): string {
  return [
    `text{font:12px ${FONTS};fill:${LIGHT.ink}}`,
    '.heading{font-size:16px;font-weight:600}',
    '.panel{font-size:13px;font-weight:600}',
    '.end{text-anchor:end}.middle{text-anchor:middle}',
    '.small{font-size:9px}',
    '.grid{stroke-width:1;fill:none}.axis{stroke-width:1;fill:none}',
    '.line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}',
    ...DASHES.flatMap((dash, round) =>
      round === 0 ? [] : [`.line.d${round}{stroke-dasharray:${dash}}.bar.d${round}{fill-opacity:${1 - 0.3 * round}}`],
    ),
    ...colours(LIGHT),
    `@media (prefers-color-scheme:dark){text{fill:${DARK.ink}}${colours(DARK).join('')}}`,
  ].join('\n');
}

function colours({ground, muted, grid, series, cell, onCell}: Theme): readonly string[] {
  return [
    `.ground{fill:${ground}}.muted{fill:${muted}}.grid{stroke:${grid}}.axis{stroke:${muted}}.cell{fill:${cell}}`,
    `.on-cell{fill:${onCell}}`,
    ...series.map((colour, i) => `.line.s${i}{stroke:${colour}}.bar.s${i},.dot.s${i}{fill:${colour}}`),
  ];
}

// The layout leaves room for the widest of them, so that none is needed.
const FONTS = 'system-ui,-apple-system,"Segoe UI","Liberation Sans",Arial,sans-serif';
const DASHES = ['none', '6 4', '2 4'];
