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

export interface LegendEntry {
  readonly label: string;
  /** A name of the palette. */
  readonly color: string;
  readonly mark: 'line' | 'dashed' | 'dotted' | 'dot' | 'ring' | 'diamond' | 'square' | 'band';
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
