import type { RandomStream } from '../../src/data/simulated/random-stream.ts';
import { createImage, drawCapsule } from '../../src/data/simulated/scene.ts';
import { type PixelArray, VisionSensor } from '../../src/data/simulated/sensor.ts';

/** Synthetic event counts by name; each function returns one sample, [T, 2, size, size]. */
export const inputs = { blob: movingBlobs, poisson: poissonCounts } as const;
export type InputName = keyof typeof inputs;

/** Mean count of each pixel and polarity of `poisson`: about as dense as the busiest real frames. */
const POISSON_MEAN = 0.3;

/** The simulated camera: few enough events for frames as sparse as those of hands that move in front of a still background. */
const CAMERA = { threshold: 0.3, refractoryUs: 1000, imageUs: 10_000, imagesPerFrame: 30 } as const;
const BLOBS = 3;
/** The chance of a stray event in each pixel, frame and polarity. */
const NOISE = 0.002;

/** Discs circle in front of a simulated event camera, so that events come from their edges, ON on one side and OFF on the other. */
function movingBlobs(steps: number, size: number, random: RandomStream): Uint8Array {
  const counts = new Uint8Array(steps * 2 * size * size);
  let frame = 0;
  const emit = (_tUs: number, x: number, y: number, polarity: number) => {
    const at = ((frame * 2 + polarity) * size + y) * size + x;
    counts[at] = Math.min(255, counts[at]! + 1);
  };
  const blobs = Array.from({ length: BLOBS }, () => drawBlob(size, random));
  const image = createImage(size, size);
  const render = (tUs: number) => {
    image.level.fill(0);
    for (const { x, y, radius, orbit, level, turnUs, phase } of blobs) {
      const angle = 2 * Math.PI * (tUs / turnUs + phase);
      const [cx, cy] = [x + orbit * Math.cos(angle), y + orbit * Math.sin(angle)];
      drawCapsule(image, cx, cy, cx, cy, radius, { level, rim: level / 4 });
    }
    return image.level;
  };
  const sensor = new VisionSensor(evenPixels(size), render(0), 0, emit);
  for (let i = 1; i <= steps * CAMERA.imagesPerFrame; i++) {
    frame = Math.floor((i - 1) / CAMERA.imagesPerFrame);
    sensor.advance(render(i * CAMERA.imageUs), i * CAMERA.imageUs);
  }
  for (let at = 0; at < counts.length; at++) if (random.chance(NOISE)) counts[at] = counts[at]! + 1;
  return counts;
}

/** Sizes in pixels of the frame, scaled from the 128 of a DVS128. */
function drawBlob(size: number, random: RandomStream) {
  const pixel = size / 128;
  return {
    x: size * random.between(0.3, 0.7),
    y: size * random.between(0.3, 0.7),
    radius: pixel * random.between(5, 12),
    orbit: pixel * random.between(8, 30),
    level: (random.chance(0.5) ? 1 : -1) * random.between(0.5, 1.2),
    turnUs: (random.chance(0.5) ? 1 : -1) * random.between(1.5e6, 4e6),
    phase: random.uniform(),
  };
}

function evenPixels(size: number): PixelArray {
  const { threshold, refractoryUs } = CAMERA;
  const even = () => new Float32Array(size * size).fill(threshold);
  return { width: size, height: size, refractoryUs, onThreshold: even(), offThreshold: even() };
}

/** Independent counts: no pixel knows of another, which is the least that an engine can skip. */
function poissonCounts(steps: number, size: number, random: RandomStream): Uint8Array {
  const limit = Math.exp(-POISSON_MEAN);
  // Knuth's method: the number of uniforms whose product stays above e^-mean.
  return Uint8Array.from({ length: steps * 2 * size * size }, () => {
    let count = 0;
    for (let product = random.uniform(); product > limit; product *= random.uniform()) count++;
    return count;
  });
}
