/** How shares are shown: times 100, with this many digits after the decimal point. */
export interface ShareUnit {
  readonly digits: number;
  readonly unit: string;
}

/** The readable values of a line. */
interface ReadableLine {
  readonly label: string;
  /** A name in the palette. */
  readonly color: string;
  /** Whole numbers on the horizontal axis, and the values there. */
  readonly points: readonly (readonly [place: number, value: number])[];
}

/** The readable values of a panel over whole numbers, such as epochs: all its lines, in the order of the legend. */
export interface Readings {
  /** What the horizontal axis counts. */
  readonly axis: string;
  readonly domain: readonly [number, number];
  /** The part of the plot's width that the axis takes, from the left; default 1. */
  readonly extent?: number;
  readonly lines: readonly ReadableLine[];
  /** If the values are shares, shown as percentages or their like. */
  readonly share?: ShareUnit;
}

/** A line of a panel, with its values at the positions of the panel's axis. */
interface HoverSeries {
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
type HoverTip = readonly [x1: number, y1: number, x2: number, y2: number, text: string];

/** What a panel shows at the pointer. */
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

/** The readable parts of a drawn panel: the values of its lines, and the marks with a Vega-Lite `tooltip`. */
export function describeHover({ title, readings, left, top, plotWidth, scene }: DrawnPanel): PanelHover {
  const right = left + plotWidth * (readings?.extent ?? 1);
  return { title, ...readSeries(readings, [left, right]), tips: readTips(scene, [left, top]) };
}

export function isEmpty({ series, tips }: PanelHover): boolean {
  return series.length === 0 && tips.length === 0;
}

/**
 * The values of a panel's lines, ready to be shown.
 *
 * @param range where the ends of the axis are, in px of the panel
 */
function readSeries(
  readings: Readings | undefined,
  range: readonly [number, number],
): Pick<PanelHover, 'series' | 'axis'> {
  const { axis, domain, lines = [], share } = readings ?? {};
  const series = lines
    .filter(({ points }) => points.length > 0)
    .map(({ label, color, points }): HoverSeries => ({ label, color, ...listValues(points, share) }));
  if (axis === undefined || domain === undefined || series.length === 0) return { series: [], axis: null };
  return { series, axis: { name: axis, domain, range } };
}

function listValues(
  points: ReadableLine['points'],
  share: ShareUnit | undefined,
): Pick<HoverSeries, 'from' | 'values' | 'digits' | 'unit'> {
  const byPlace = new Map(points);
  const from = Math.min(...byPlace.keys());
  const to = Math.max(...byPlace.keys());
  const digits = share?.digits ?? digitsFor(points);
  const values = Array.from({ length: to - from + 1 }, (_, index) => {
    const value = byPlace.get(from + index);
    if (value === undefined) return null;
    return Number((share === undefined ? value : 100 * value).toFixed(digits));
  });
  return { from, values, digits, unit: share?.unit ?? '' };
}

/** As many as give the smallest value three figures, within reason: smaller ones are zero on any axis. */
function digitsFor(points: ReadableLine['points']): number {
  const sizes = points.map(([, y]) => Math.abs(y)).filter((size) => size > 0);
  const smallest = sizes.reduce((least, size) => Math.min(least, size), Number.POSITIVE_INFINITY);
  if (!Number.isFinite(smallest)) return 0;
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(smallest))));
}

/** A node of Vega's scene graph: a mark, or one of its items. Bounds and positions are relative to the group around it. */
interface SceneNode {
  readonly items?: readonly SceneNode[];
  readonly marktype?: string;
  readonly x?: number;
  readonly y?: number;
  readonly bounds?: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
  /** A text, or texts by name. */
  readonly tooltip?: unknown;
}

/**
 * The places of all marks with a tooltip, in drawing order: the last are on top.
 *
 * @param origin left and top edge of the plot
 */
function readTips(scene: unknown, origin: readonly [x: number, y: number]): HoverTip[] {
  const tips: HoverTip[] = [];
  if (hasRoot(scene)) collect(scene.root, origin, tips);
  return tips;
}

function collect(mark: SceneNode, [x, y]: readonly [number, number], tips: HoverTip[]): void {
  for (const item of mark.items ?? []) {
    const { bounds, tooltip } = item;
    if (tooltip !== undefined && tooltip !== null && bounds !== undefined) {
      const { x1, y1, x2, y2 } = bounds;
      tips.push([round(x + x1), round(y + y1), round(x + x2), round(y + y2), describe(tooltip)]);
    }
    if (mark.marktype !== 'group') continue;
    const inside = [x + (item.x ?? 0), y + (item.y ?? 0)] as const;
    for (const one of item.items ?? []) collect(one, inside, tips);
  }
}

/** Vega-Lite's tooltips of several fields are objects. */
function describe(tooltip: unknown): string {
  if (typeof tooltip !== 'object' || tooltip === null) return String(tooltip);
  return Object.entries(tooltip)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join('\n');
}

/** The published types of Vega leave the root out. */
function hasRoot(scene: unknown): scene is { readonly root: SceneNode } {
  return typeof scene === 'object' && scene !== null && 'root' in scene && typeof scene.root === 'object';
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
