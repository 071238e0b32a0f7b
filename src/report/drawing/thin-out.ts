import type { PanelSpec } from './figure.ts';

/** A line may be off by this much, in px of the figure: far below what a screen or a printer shows. */
export const TOLERANCE_PX = 0.1;

/** In shorter lines, every point is visible. */
const LONG_LINE_POINTS = 200;

type Layer = PanelSpec['layer'][number];
type Point = readonly [x: number, y: number];

/**
 * Leaves out points of long lines and bands that are within {@link TOLERANCE_PX} of the line without them, because every point takes time and
 * space. Peaks and ends stay. Layers whose axes have no domain in the specification stay as they are.
 *
 * @returns the specification, and whether any point was left out
 */
export function thinOut(spec: PanelSpec): { readonly spec: PanelSpec; readonly thinned: boolean } {
  const layer = spec.layer.map((one) => thinLayer(one, spec));
  const thinned = layer.some((one, index) => one !== spec.layer[index]);
  return { spec: thinned ? { ...spec, layer } : spec, thinned };
}

function thinLayer(layer: Layer, { width, height }: PanelSpec): Layer {
  const type = partAt(layer, 'mark', 'type');
  const rows = partAt(layer, 'data', 'values');
  const isLine = (type === 'line' || type === 'area') && partAt(layer, 'mark', 'interpolate') === undefined;
  if (!isLine || !Array.isArray(rows) || rows.length < LONG_LINE_POINTS) return layer;
  if (partAt(layer, 'transform') !== undefined) return layer;
  const [placeX, placeY] = [placeOn(layer, 'x', width), placeOn(layer, 'y', height)];
  if (placeX === null || placeY === null) return layer;
  const fieldOf = (channel: string) => partAt(layer, 'encoding', channel, 'field');
  const edges = ['y', 'y2'].map(fieldOf).filter((field) => typeof field === 'string');
  const x = String(fieldOf('x'));
  const places = edges.map((edge) =>
    rows.map((row): Point => [placeX(partAt(row, x)), placeY(partAt(row, edge))]),
  );
  if (!places.flat(2).every(Number.isFinite)) return layer;
  const kept = simplify(places, TOLERANCE_PX);
  return kept.length === rows.length
    ? layer
    : { ...layer, data: { values: kept.map((index) => rows[index]) } };
}

/** Where a channel puts a value, in px from the start of its axis; null if that is not in the specification. */
function placeOn(layer: Layer, name: 'x' | 'y', size: unknown): ((value: unknown) => number) | null {
  const channel = partAt(layer, 'encoding', name);
  const domain = partAt(channel, 'scale', 'domain');
  const scale = { linear: Number, log: Math.log }[String(partAt(channel, 'scale', 'type') ?? 'linear')];
  if (!isPair(domain) || typeof size !== 'number' || scale === undefined) return null;
  const [low, high] = [scale(domain[0]), scale(domain[1])];
  return (value) => (typeof value === 'number' ? ((scale(value) - low) / (high - low)) * size : Number.NaN);
}

/**
 * The points that polylines need to stay within a distance of all their points; always the first and the last.
 *
 * @param lines of the same number of points: the same are kept of all, as of the two edges of a band
 * @returns the indices of these points, ascending
 * @see Ramer 1972, Comput. Graph. Image Process. 1, 244-256; Douglas and Peucker 1973, Cartographica 10, 112-122
 */
export function simplify(lines: readonly (readonly Point[])[], tolerance: number): number[] {
  const last = (lines[0]?.length ?? 0) - 1;
  const keep = new Set([0, last]);
  // A stack instead of recursion: noise may split a line of thousands of points off one by one.
  const spans: [from: number, to: number][] = [[0, last]];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    let farthest = { at: from, distance: 0 };
    for (const line of lines) farthest = findFarthest(line, span, farthest);
    if (farthest.distance <= tolerance) continue;
    keep.add(farthest.at);
    spans.push([from, farthest.at], [farthest.at, to]);
  }
  return [...keep].sort((a, b) => a - b);
}

/** The point that is farthest from the line between two others, or a known one that is farther. */
function findFarthest(
  points: readonly Point[],
  [from, to]: readonly [number, number],
  known: { readonly at: number; readonly distance: number },
): { at: number; distance: number } {
  const [startX, startY] = points[from] ?? [0, 0];
  const [endX, endY] = points[to] ?? [0, 0];
  const [alongX, alongY] = [endX - startX, endY - startY];
  const square = alongX ** 2 + alongY ** 2;
  let { at: found, distance: largest } = known;
  for (let at = from + 1; at < to; at++) {
    const [x, y] = points[at] ?? [0, 0];
    const share = square === 0 ? 0 : ((x - startX) * alongX + (y - startY) * alongY) / square;
    const nearest = Math.min(1, Math.max(0, share));
    const distance = Math.hypot(x - startX - nearest * alongX, y - startY - nearest * alongY);
    if (distance > largest) [found, largest] = [at, distance];
  }
  return { at: found, distance: largest };
}

/** A part of a Vega-Lite specification, whose type allows far more than figures use; undefined if missing. */
export function partAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.getOwnPropertyDescriptor(found, name)?.value;
  }
  return found;
}

function isPair(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'number');
}
