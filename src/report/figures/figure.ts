import { csvFormatRows } from 'd3-dsv';
import type { TopLevelSpec } from 'vega-lite';

export type PanelSpec = Extract<TopLevelSpec, { layer: unknown }>;

/** One plot among small multiples that share their scales. */
export interface Panel {
  readonly title: string;
  readonly spec: PanelSpec;
  /** Outer size in px, axes and title included. */
  readonly width: number;
  readonly height: number;
}

/** How a line is drawn; the thin ones are for what stands behind our own results. */
export type LineMark = 'line' | 'dashed' | 'dotted' | ThinMark;
export type ThinMark = 'thin-dashed' | 'thin-dash-dotted' | 'thin-dotted';

/** Lengths of strokes and gaps, in px. */
export const DASHES: Readonly<Record<LineMark, readonly number[]>> = {
  line: [1, 0],
  dashed: [6, 3],
  dotted: [2, 2],
  'thin-dashed': [9, 3],
  'thin-dash-dotted': [6, 2, 1, 2],
  'thin-dotted': [1, 3],
};

export function isThin(mark: LineMark): mark is ThinMark {
  return mark.startsWith('thin-');
}

export interface LegendEntry {
  readonly label: string;
  /** A name of the palette. */
  readonly color: string;
  readonly mark: LineMark | 'dot' | 'ring' | 'diamond' | 'square' | 'band';
}

/** A figure as data: what is drawn, what is said of it, and the values behind it. */
export interface Figure {
  /** File name without extension, and the anchor on the page. */
  readonly id: string;
  /** Says what is seen. */
  readonly title: string;
  readonly caption: string;
  /** The figure in words, for those who do not see it. */
  readonly alt: string;
  readonly legend: readonly LegendEntry[];
  readonly panels: readonly Panel[];
  /** Panels side by side where there is room. */
  readonly columns: number;
  /** The values that are drawn, header row first. */
  readonly data: readonly (readonly CsvValue[])[];
}

export type CsvValue = string | number | null;

/** CSV with a newline at its end; null is an empty cell. */
export function toCsv(rows: Figure['data']): string {
  return `${csvFormatRows(rows.map((row) => row.map((value) => (value === null ? '' : String(value)))))}\n`;
}
