/** Half the width of a soft edge: lens blur plus pixel size, in pixels. */
const SOFTNESS = 0.8;

/** Log luminance of every pixel, row by row from the top left; 0 is the wall's mean. */
export interface LogImage {
  readonly width: number;
  readonly height: number;
  readonly level: Float32Array;
}

export function createImage(width: number, height: number): LogImage {
  return { width, height, level: new Float32Array(width * height) };
}

/** What a drawn part looks like: log luminance on its axis, and how much darker its rim is. */
export interface Surface {
  readonly level: number;
  readonly rim: number;
}

/**
 * Draws a capsule, all points within `radius` of the segment from a to b (a disc if a = b), over the image.
 * With ρ the distance from the axis, the level is `surface.level − rim · (ρ / radius)²`, and coverage rises from 0 to 1 as ρ falls
 * from radius + 0.8 to radius − 0.8. Coverage blends *log* luminances, which saves one logarithm per pixel and displaces
 * events only within an edge's 1.6 pixels.
 */
export function drawCapsule(
  image: LogImage,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  radius: number,
  surface: Surface,
): void {
  const { level, width, height } = image;
  const outer = radius + SOFTNESS;
  const inner = Math.max(0, radius - SOFTNESS);
  const x0 = Math.max(0, Math.ceil(Math.min(ax, bx) - outer));
  const x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx) + outer));
  const y0 = Math.max(0, Math.ceil(Math.min(ay, by) - outer));
  const y1 = Math.min(height - 1, Math.floor(Math.max(ay, by) + outer));
  const dx = bx - ax;
  const dy = by - ay;
  const squared = dx * dx + dy * dy;
  const perLength = squared === 0 ? 0 : 1 / squared;
  const outer2 = outer * outer;
  const inner2 = inner * inner;
  const rimPerSquare = surface.rim / (radius * radius);
  for (let y = y0; y <= y1; y++) {
    const py = y - ay;
    const row = y * width;
    for (let x = x0; x <= x1; x++) {
      const px = x - ax;
      const s = Math.max(0, Math.min(1, (px * dx + py * dy) * perLength));
      const ex = px - s * dx;
      const ey = py - s * dy;
      const rho2 = ex * ex + ey * ey;
      if (rho2 >= outer2) continue;
      const own = surface.level - rimPerSquare * rho2;
      if (rho2 <= inner2) {
        level[row + x] = own;
      } else {
        const coverage = (outer - Math.sqrt(rho2)) / (outer - inner);
        level[row + x] = level[row + x]! + coverage * (own - level[row + x]!);
      }
    }
  }
}
