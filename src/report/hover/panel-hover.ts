import { readSeries } from './hover-series.ts';
import { readTips } from './hover-tips.ts';
import type { Readings } from './readings.ts';

/** A line of a panel, with its values at the positions of the panel's axis. */
export interface HoverSeries {
  readonly label: string;
  /** A name in the palette. */
  readonly color: string;
  /** The first position that has a value; the others follow one by one. */
  readonly from: number;
  /** Rounded to what is shown; null where there is none. */
  readonly values: readonly (number | null)[];
  /** After the decimal point. */
  readonly digits: number;
  readonly unit: string;
}

/** A mark with a text of its own, in px of the panel: left, top, right, bottom. */
export type HoverTip = readonly [x1: number, y1: number, x2: number, y2: number, text: string];

/** What a panel tells about the place that a pointer is on. */
export interface PanelHover {
  readonly title: string;
  readonly series: readonly HoverSeries[];
  /** What the horizontal axis counts, and where its ends are; null without series. */
  readonly axis: {
    readonly name: string;
    readonly domain: readonly [number, number];
    readonly range: readonly [number, number];
  } | null;
  readonly tips: readonly HoverTip[];
}

/** A panel as it was drawn. */
export interface DrawnPanel {
  readonly title: string;
  readonly readings: Readings | undefined;
  /** Left and top edge of the plot, and its width, in px of the panel. */
  readonly left: number;
  readonly top: number;
  readonly plotWidth: number;
  /** Vega's scene graph. */
  readonly scene: unknown;
}

/** What there is to read from a drawn panel: the values of its lines, and the marks with a `tooltip`, as Vega-Lite has it. */
export function describeHover({ title, readings, left, top, plotWidth, scene }: DrawnPanel): PanelHover {
  const right = left + plotWidth * (readings?.extent ?? 1);
  return { title, ...readSeries(readings, [left, right]), tips: readTips(scene, [left, top]) };
}

export function isEmpty({ series, tips }: PanelHover): boolean {
  return series.length === 0 && tips.length === 0;
}
