/** Discs, and how wide a rim of each gives events; in pixels of a 128 x 128 sensor. */
const discs = 3;
const rim = 9;
const radius = { least: 6, step: 4 };
const orbit = { least: 12, step: 9 };

/**
 * Synthetic event counts: discs that circle in front of the camera, whose leading edges give ON events and whose trailing edges OFF
 * events. About 5 % of the counts are not 0: few, as when hands move in front of a still background.
 *
 * @param shape [N, T, 2, H, W]; N is ignored
 * @param clip clips with different numbers differ
 * @returns one clip, [T, 2, H, W]
 */
export function drawMovingBlobs(
  [, steps, polarities, height, width]: readonly [number, number, number, number, number],
  clip: number,
): Uint8Array {
  const counts = new Uint8Array(steps * polarities * height * width);
  const pixel = Math.min(height, width) / 128;
  for (let t = 0; t < steps; t++) {
    for (let disc = 0; disc < discs; disc++) {
      const angle = (2 * Math.PI * (t + clip)) / (20 + 7 * disc) + 2 * disc;
      const turn = pixel * (orbit.least + disc * orbit.step);
      const [x0, y0] = [width / 2 + turn * Math.cos(angle), height / 2 + turn * Math.sin(angle)];
      const size = pixel * (radius.least + disc * radius.step);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [dx, dy] = [x - x0, y - y0];
          if (Math.abs(Math.hypot(dx, dy) - size) > (rim * pixel) / 2) continue;
          const isLeading = dy * Math.cos(angle) - dx * Math.sin(angle) > 0;
          const plane = t * polarities + (isLeading ? polarities - 1 : 0);
          counts[(plane * height + y) * width + x]! += 1 + (disc % 2);
        }
      }
    }
  }
  return counts;
}
