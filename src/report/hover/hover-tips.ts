import type { HoverTip } from './panel-hover.ts';

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
 * The places of all marks with a tooltip; those drawn last, which are on top, come last.
 *
 * @param origin left and top edge of the plot
 */
export function readTips(scene: unknown, origin: readonly [x: number, y: number]): HoverTip[] {
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
