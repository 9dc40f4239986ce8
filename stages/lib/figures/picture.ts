import {element, textNode, type Markup} from './svg.ts';
import {shorten} from './text-width.ts';
import {styleSheet} from './theme.ts';

export interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What the picture shows, in a sentence, for those who cannot see it. */
  readonly description: string;
  readonly content: readonly Markup[];
}

/**
 * A complete SVG file, with its colours for light and for dark pages. It names no time, tool or font file: the same picture
 * is the same bytes.
 */
export function encodeSvg({width, height, title, description, content}: Picture): string {
  const head = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      role: 'img',
    },
    [
      line(element('title', {}, [textNode(title)])),
      line(element('desc', {}, [textNode(description)])),
      line(element('style', {}, [textNode(styleSheet())])),
      line(element('rect', {class: 'ground', width, height})),
      line(element('text', {class: 'heading', x: MARGIN, y: 26}, [textNode(shorten(title, width - 2 * MARGIN, 17))])),
      ...content.map(line),
    ],
  );
  return `${head}\n`;
}

/** Free space around everything, in pixels. */
export const MARGIN = 16;
/** Where the content starts, below the heading. */
export const HEADING_HEIGHT = 44;

function line(markup: Markup): Markup {
  return `\n${markup}` as Markup;
}
