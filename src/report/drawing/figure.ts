import type { TopLevelSpec } from 'vega-lite';
import type { CsvValue } from '../../formats/csv.ts';

export type PanelSpec = Extract<TopLevelSpec, { layer: unknown }>;

/** One of several small plots with the same scales. */
export interface Panel {
  readonly title: string;
  /** A Vega-Lite specification, or a finished drawing as SVG. */
  readonly spec: PanelSpec | string;
  /** Outer size in px, including axes and title. */
  readonly width: number;
  readonly height: number;
}

/** How a line is drawn; thin lines are for the authors' logs, so that our own results stand out. */
export type LineMark = 'line' | 'dashed' | 'dotted' | 'thin';

/** Lengths of dashes and gaps, in px. */
export const DASHES: Readonly<Record<LineMark, readonly number[]>> = {
  line: [1, 0],
  dashed: [6, 3],
  dotted: [2, 2],
  thin: [9, 3],
};

export interface LegendEntry {
  readonly label: string;
  /** A name in the palette. */
  readonly color: string;
  readonly mark: LineMark | 'dot' | 'ring' | 'diamond' | 'band';
}

/** A figure as data: panels, texts and values. */
export interface Figure {
  /** File name without extension, and anchor on the page. */
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** The figure in words, for readers who cannot see it. */
  readonly alt: string;
  readonly legend: readonly LegendEntry[];
  readonly panels: readonly Panel[];
  /** Maximum number of panels side by side. */
  readonly columns: number;
  /** The values drawn, with a header row. */
  readonly data: readonly (readonly CsvValue[])[];
}
