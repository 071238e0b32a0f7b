import type { Config } from 'vega-lite';

/** Fonts of a standalone figure; on the page, it inherits the page's. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

/**
 * Text and axes inherit their colour, so figures are legible on light and dark pages. Marks have no ARIA attributes: a figure is one
 * image with one description.
 */
export const THEME: Config = {
  aria: false,
  background: 'transparent',
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    grid: true,
    gridColor: 'currentColor',
    gridOpacity: 0.13,
    labelColor: 'currentColor',
    labelOpacity: 0.8,
    labelFontSize: 11,
    labelPadding: 6,
    labelFlush: false,
    titleColor: 'currentColor',
    titleOpacity: 0.8,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titlePadding: 8,
  },
  title: {
    color: 'currentColor',
    fontSize: 13,
    fontWeight: 600,
    anchor: 'start',
    frame: 'group',
    offset: 8,
  },
};

/** Labels for an axis of shares: `40 %`, with a non-breaking space. */
export const PERCENT_LABELS = "format(datum.value * 100, '.0f') + '\u00a0%'";

/** The same with a decimal, for an axis of a few percent. */
export const FINE_PERCENT_LABELS = "format(datum.value * 100, '.1f') + '\u00a0%'";

/** Labels for an axis of differences of shares, in percentage points: `5`. */
export const POINT_LABELS = "format(datum.value * 100, '.0f')";

/** Labels for an axis of whole numbers, with narrow spaces as thousands separators, as everywhere else. */
export const COUNT_LABELS = "replace(format(datum.value, ',d'), ',', '\u202f')";

/** Channels for drawings without axes, whose values `x` and `y` are px from the left and from the top. */
export function pixelChannels(width: number, height: number) {
  const channel = (field: 'x' | 'y', domain: [number, number]) => ({
    field,
    type: 'quantitative' as const,
    scale: { domain, nice: false, zero: false },
    axis: null,
  });
  return { x: channel('x', [0, width]), y: channel('y', [height, 0]) };
}
