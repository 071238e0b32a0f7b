import type { Config } from 'vega-lite';

/** Fonts of a figure that stands alone; on the page it takes the page's. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

/**
 * Text and axes take the colour of what surrounds them, so that a figure reads on a light and on a dark page. Marks carry
 * no ARIA attributes of their own: a figure is one image with one description.
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

/** Labels of an axis of shares: `40 %`, the space one that does not break. */
export const PERCENT_LABELS = "format(datum.value * 100, '.0f') + '\u00a0%'";

/** Labels of an axis of whole numbers, with narrow spaces between thousands as everywhere else. */
export const COUNT_LABELS = "replace(format(datum.value, ',d'), ',', '\u202f')";
