import type {RefObject} from 'preact';
import {useLayoutEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import type {PageColumn, PageResult} from '../../report/page-data.ts';
import {numberText} from '../../report/number-text.ts';
import {THEME_EVENT} from '../components/theme-button.tsx';
import {drawable} from '../model/curve-data.ts';
import {DASHES} from './dashes.ts';

type CurveResult = Extract<PageResult, {readonly kind: 'curve'}>;

/** How lines are drawn. */
interface PlotChoice {
  /** Of each line, whether it is. */
  readonly drawn: readonly boolean[];
  readonly logarithmic: boolean;
}

/**
 * Draws lines into the element that the returned reference is given to, as wide as it is and in the theme's colours.
 * @param legend - has an SVG line for each line, whose computed stroke is its colour
 * @param readout - where the values under the pointer are written
 */
export function usePlot(
  {x, lines}: CurveResult,
  {drawn, logarithmic}: PlotChoice,
  legend: RefObject<HTMLElement | null>,
  readout: RefObject<HTMLElement | null>,
): RefObject<HTMLDivElement | null> {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    let plot: uPlot | undefined;
    const data = [drawable(x.values, false), ...lines.map(({values}) => drawable(values, logarithmic))];
    const draw = (): void => {
      plot?.destroy();
      const colours = [...(legend.current?.querySelectorAll('line') ?? [])].map(
        (line) => getComputedStyle(line).stroke,
      );
      const read = (at: number | null | undefined): void => readout.current?.replaceChildren(pointText(x, lines, at));
      const options = plotOptions({x, lines}, {drawn, logarithmic}, colours, element);
      plot = new uPlot(
        {...options, hooks: {setCursor: [({cursor}) => read(cursor.idx)]}},
        data as uPlot.AlignedData,
        element,
      );
    };
    const observer = new ResizeObserver(() => plot?.setSize({width: element.clientWidth, height: HEIGHT}));
    draw();
    observer.observe(element);
    document.addEventListener(THEME_EVENT, draw);
    return () => {
      observer.disconnect();
      document.removeEventListener(THEME_EVENT, draw);
      plot?.destroy();
    };
  }, [x, lines, drawn, logarithmic]);
  return host;
}

const HEIGHT = 250;

function pointText(x: PageColumn, lines: readonly PageColumn[], at: number | null | undefined): string {
  if (at === null || at === undefined) return '';
  return [x, ...lines].map(({name, values}) => `${name} ${valueText(values[at])}`).join(' · ');
}

function valueText(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : numberText(value);
}

function plotOptions(
  {x, lines}: Pick<CurveResult, 'x' | 'lines'>,
  {drawn, logarithmic}: PlotChoice,
  colours: readonly string[],
  element: Element,
): uPlot.Options {
  const style = getComputedStyle(element);
  const axis = {
    stroke: style.color,
    font: `12px ${style.fontFamily}`,
    labelFont: `12px ${style.fontFamily}`,
    grid: {stroke: style.borderTopColor, width: 1},
    ticks: {stroke: style.borderTopColor, width: 1},
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    scales: {x: {time: false}, y: {distr: logarithmic ? 3 : 1}},
    axes: [
      {...axis, label: x.name, labelSize: 20, size: 34},
      {...axis, size: 64},
    ],
    series: [
      {label: x.name},
      ...lines.map(({name}, at) => ({
        label: name,
        show: drawn[at] === true,
        stroke: colours[at] ?? style.color,
        width: 2,
        dash: [...(DASHES[at % DASHES.length] ?? [])],
        spanGaps: true,
        points: {show: false},
      })),
    ],
    legend: {show: false},
    cursor: {drag: {x: true, y: false}},
  };
}
