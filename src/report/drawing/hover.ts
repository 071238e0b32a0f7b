/** The readable values of a panel over whole numbers, such as epochs: all its lines, in the order of the legend. */
export interface Readings {
  /** What the horizontal axis counts. */
  readonly axis: string;
  readonly domain: readonly [number, number];
  /** The part of the plot's width that the axis takes, from the left. */
  readonly extent: number;
  readonly lines: readonly {
    readonly label: string;
    /** A name in the palette. */
    readonly color: string;
    /** Whole numbers on the horizontal axis, and the values there. */
    readonly points: readonly (readonly [place: number, value: number])[];
  }[];
  /** How shares are shown: times 100, with so many digits after the decimal point. */
  readonly share?: { readonly digits: number; readonly unit: string };
}

/** A mark with a text of its own, in px of the panel. */
type Tip = readonly [left: number, top: number, right: number, bottom: number, text: string];

/** What a panel shows at the pointer. */
export interface PanelHover {
  readonly title: string;
  readonly series: readonly {
    readonly label: string;
    readonly color: string;
    /** The first position that has a value; the others follow one by one. */
    readonly from: number;
    /** Rounded to what is shown; null where there is none. */
    readonly values: readonly (number | null)[];
    /** After the decimal point. */
    readonly digits: number;
    readonly unit: string;
  }[];
  /** What the horizontal axis counts, and where its ends are in px of the panel; null without series. */
  readonly axis: {
    readonly name: string;
    readonly domain: readonly [number, number];
    readonly range: readonly [number, number];
  } | null;
  /** The last are on top. */
  readonly tips: readonly Tip[];
}

/**
 * The readable parts of a drawn panel: the values of its lines, and the marks with a Vega-Lite `tooltip`.
 *
 * @param origin left and top edge of the plot, in px of the panel
 * @param width of the plot
 * @param scene Vega's scene graph
 */
export function describeHover(
  { title, readings }: { readonly title: string; readonly readings: Readings | undefined },
  origin: readonly [left: number, top: number],
  width: number,
  scene: unknown,
): PanelHover {
  const tips = hasRoot(scene) ? collectTips(scene.root, origin) : [];
  const lines = readings?.lines.filter(({ points }) => points.length > 0) ?? [];
  if (readings === undefined || lines.length === 0) return { title, series: [], axis: null, tips };
  const { axis: name, domain, extent, share } = readings;
  return {
    title,
    series: lines.map(({ label, color, points }) => ({ label, color, ...listValues(points, share) })),
    axis: { name, domain, range: [origin[0], origin[0] + width * extent] },
    tips,
  };
}

export function isEmpty({ series, tips }: PanelHover): boolean {
  return series.length === 0 && tips.length === 0;
}

function listValues(points: Readings['lines'][number]['points'], share: Readings['share']) {
  const byPlace = new Map(points);
  const [from, to] = [Math.min(...byPlace.keys()), Math.max(...byPlace.keys())];
  const digits = share?.digits ?? digitsFor([...byPlace.values()]);
  const values = Array.from({ length: to - from + 1 }, (_, index) => {
    const value = byPlace.get(from + index);
    return value === undefined ? null : Number((share === undefined ? value : 100 * value).toFixed(digits));
  });
  return { from, values, digits, unit: share?.unit ?? '' };
}

/** As many as give the smallest value three figures, within reason: smaller ones are zero on any axis. */
function digitsFor(values: readonly number[]): number {
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  return sizes.length === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.min(...sizes)))));
}

/** A node of Vega's scene graph: a mark, or one of its items. Bounds and positions are relative to the group around it. */
interface SceneNode {
  readonly items?: readonly SceneNode[];
  readonly marktype?: string;
  readonly x?: number;
  readonly y?: number;
  readonly bounds?: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
  readonly tooltip?: unknown;
}

/** @param origin of the group around the mark */
function collectTips(mark: SceneNode, [left, top]: readonly [number, number]): Tip[] {
  const round = (px: number): number => Math.round(px * 10) / 10;
  return (mark.items ?? []).flatMap(({ bounds, tooltip, x = 0, y = 0, items = [] }) => {
    const inner =
      mark.marktype === 'group' ? items.flatMap((one) => collectTips(one, [left + x, top + y])) : [];
    if (typeof tooltip !== 'string' || bounds === undefined) return inner;
    const { x1, y1, x2, y2 } = bounds;
    return [[round(left + x1), round(top + y1), round(left + x2), round(top + y2), tooltip], ...inner];
  });
}

/** The published types of Vega leave the root out. */
function hasRoot(scene: unknown): scene is { readonly root: SceneNode } {
  return typeof scene === 'object' && scene !== null && 'root' in scene && typeof scene.root === 'object';
}
