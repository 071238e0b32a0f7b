/** A polyline may be off by this much, in px of the figure: far below what a screen or a printer shows. */
export const PATH_TOLERANCE_PX = 0.1;

/** Shorter paths are left as they are: their points are all that there is to see. */
const LONG_PATH_POINTS = 200;

type Point = readonly [x: number, y: number];

/**
 * Leaves out points of long polylines that are within {@link PATH_TOLERANCE_PX} of the line through those that stay, and rounds the rest
 * to hundredths of a px. Peaks, ends and gaps stay. Paths with curves are left alone.
 *
 * @param svg a drawing whose paths consist of `M x,y L x,y …`, as d3-shape writes linear curves, closed or not
 * @returns the drawing, and whether any point was left out
 */
export function simplifyPaths(svg: string): { readonly svg: string; readonly simplified: boolean } {
  let simplified = false;
  const shorter = svg.replace(/ d="(M[^"]*)"/g, (whole, path: string) => {
    if (!isPolyline(path)) return whole;
    const parts = path.split('M').slice(1).map(parsePart);
    if (!parts.some(({ points }) => points.length >= LONG_PATH_POINTS)) return whole;
    const kept = parts.map(({ points, closed }) => ({ points: simplify(points, PATH_TOLERANCE_PX), closed }));
    if (kept.some(({ points }, i) => points.length < (parts[i]?.points.length ?? 0))) simplified = true;
    return ` d="${kept.map(formatPart).join('')}"`;
  });
  return { svg: shorter, simplified };
}

function isPolyline(path: string): boolean {
  return /^(?:[ML]-?[\d.]+(?:e-\d+)?,-?[\d.]+(?:e-\d+)?|Z)+$/.test(path);
}

function parsePart(part: string): { points: Point[]; closed: boolean } {
  const closed = part.endsWith('Z');
  const points = (closed ? part.slice(0, -1) : part).split('L').map((pair): Point => {
    const comma = pair.indexOf(',');
    return [Number(pair.slice(0, comma)), Number(pair.slice(comma + 1))];
  });
  return { points, closed };
}

function formatPart({
  points,
  closed,
}: {
  readonly points: readonly Point[];
  readonly closed: boolean;
}): string {
  return `M${points.map(([x, y]) => `${round(x)},${round(y)}`).join('L')}${closed ? 'Z' : ''}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/**
 * The points that a polyline needs to stay within a distance of all of them; the first and the last always.
 *
 * @see Ramer 1972, Comput. Graph. Image Process. 1, 244-256; Douglas and Peucker 1973, Cartographica 10, 112-122
 */
export function simplify(points: readonly Point[], tolerance: number): Point[] {
  const keep = new Set([0, points.length - 1]);
  // A stack instead of recursion: noise may split a line of thousands of points off one by one.
  const spans: [from: number, to: number][] = [[0, points.length - 1]];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    const farthest = findFarthest(points, from, to);
    if (farthest.distance <= tolerance) continue;
    keep.add(farthest.at);
    spans.push([from, farthest.at], [farthest.at, to]);
  }
  return points.filter((_, index) => keep.has(index));
}

/** The point between two others that is farthest from the stretch between them. */
function findFarthest(points: readonly Point[], from: number, to: number): { at: number; distance: number } {
  const [startX, startY] = points[from] ?? [0, 0];
  const [endX, endY] = points[to] ?? [0, 0];
  const [alongX, alongY] = [endX - startX, endY - startY];
  const length = Math.hypot(alongX, alongY);
  let found = { at: from, distance: 0 };
  for (let at = from + 1; at < to; at++) {
    const [x, y] = points[at] ?? [0, 0];
    const share = length === 0 ? 0 : ((x - startX) * alongX + (y - startY) * alongY) / length ** 2;
    const nearest = Math.min(1, Math.max(0, share));
    const distance = Math.hypot(x - startX - nearest * alongX, y - startY - nearest * alongY);
    if (distance > found.distance) found = { at, distance };
  }
  return found;
}
