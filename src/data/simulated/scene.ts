import { ReproError } from '../../base/errors.ts';
import type { Arm, Person, Pose } from './person.ts';
import type { RandomStream } from './random-stream.ts';

/** How much darker a limb is at its rim than on its axis, log luminance: it keeps an arm visible against its own shirt. */
const LIMB_RIM = 0.55;
const TORSO_RIM = 0.15;

/**
 * Fills an image with the background: a wall that brightens evenly towards one side, and a few rectangles of
 * furniture. It never moves; it only determines the contrast at the body's edges.
 */
export function drawBackground(image: LogImage, contrast: number, random: RandomStream): void {
  const { width, height, level } = image;
  const slopeX = random.between(-0.2, 0.2) / width;
  const slopeY = random.between(-0.2, 0.2) / height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      level[y * width + x] = contrast * (slopeX * (x - width / 2) + slopeY * (y - height / 2));
    }
  }
  const pieces = 2 + random.integer(3);
  for (let piece = 0; piece < pieces; piece++) {
    const left = Math.floor(random.between(0, width * 0.85));
    const top = Math.floor(random.between(0, height * 0.8));
    const right = Math.min(width, left + Math.floor(random.between(10, 40)));
    const bottom = Math.min(height, top + Math.floor(random.between(10, 50)));
    const step = contrast * random.between(-0.2, 0.2);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) level[y * width + x] = level[y * width + x]! + step;
    }
  }
}

/** Draws a posed person over the image: torso, head, then the arms, the nearer one last. */
export function drawPerson(image: LogImage, person: Person, pose: Pose, contrast: number): void {
  const surface = (level: number, rim: number): Surface => ({ level: contrast * level, rim: contrast * rim });
  const shirt = surface(person.shirt, TORSO_RIM);
  const x = person.centreX + pose.body.x;
  const y = person.shoulderY + pose.body.y;
  const half = person.shoulderHalfWidth;
  // The torso continues below the image, and its round top is hidden behind the bar of the shoulders.
  drawCapsule(image, x, y + person.torsoRadius, x, image.height + 20, person.torsoRadius, shirt);
  drawCapsule(image, x - half + 1, y + 3, x + half - 1, y + 3, 4.5, shirt);
  const headY = y - 1.55 * person.headRadius;
  const skin = surface(person.skin, LIMB_RIM / 2);
  drawCapsule(image, x, headY, x, y, 0.4 * person.headRadius, skin);
  drawCapsule(image, x, headY - 4, x, headY - 4, person.headRadius, surface(person.hair, 0));
  drawCapsule(image, x, headY - 1, x, headY + 0.5, 0.85 * person.headRadius, skin);
  const rightIsNearer = pose.right.depth > pose.left.depth;
  drawArm(image, person, rightIsNearer ? pose.left : pose.right, contrast);
  drawArm(image, person, rightIsNearer ? pose.right : pose.left, contrast);
}

function drawArm(image: LogImage, person: Person, arm: Arm, contrast: number): void {
  const rim = contrast * LIMB_RIM;
  const sleeve = { level: contrast * person.shirt, rim };
  const skin = { level: contrast * person.skin, rim };
  const { shoulder, elbow, hand } = arm;
  const forearm = person.longSleeves ? sleeve : skin;
  drawCapsule(image, shoulder.x, shoulder.y, elbow.x, elbow.y, 1.1 * person.armRadius, sleeve);
  drawCapsule(image, elbow.x, elbow.y, hand.x, hand.y, 0.92 * person.armRadius, forearm);
  drawCapsule(image, hand.x, hand.y, hand.x, hand.y, person.handRadius, skin);
}

/** Half the width of a soft edge: lens blur plus pixel size, in pixels. */
const SOFTNESS = 0.8;

/** Log luminance of every pixel, row by row from the top left; 0 is the wall's mean. */
interface LogImage {
  readonly width: number;
  readonly height: number;
  readonly level: Float32Array;
}

export function createImage(width: number, height: number): LogImage {
  return { width, height, level: new Float32Array(width * height) };
}

/** What a drawn part looks like: log luminance on its axis, and how much darker its rim is. */
interface Surface {
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

export interface Light {
  readonly name: string;
  /** Multiplies every log-luminance difference of the scene: stray light lowers it. */
  readonly contrast: number;
  /** Amplitude of the common flicker, log luminance. */
  readonly flicker: number;
  /** Twice the mains frequency, Hz. */
  readonly flickerHz: number;
  /** Background events per pixel, Hz: more in dimmer light. */
  readonly noiseHz: number;
  /** Standard deviation of a pixel's threshold, relative to its mean. */
  readonly mismatch: number;
}

/** The five lights of DVS128 Gesture; the figures belong to this model and were not measured. */
const LIGHTS: readonly Light[] = [
  { name: 'fluorescent', contrast: 1.0, flicker: 0.03, flickerHz: 100, noiseHz: 0.08, mismatch: 0.1 },
  { name: 'fluorescent_led', contrast: 1.05, flicker: 0.015, flickerHz: 100, noiseHz: 0.06, mismatch: 0.1 },
  { name: 'lab', contrast: 0.9, flicker: 0.01, flickerHz: 100, noiseHz: 0.1, mismatch: 0.11 },
  { name: 'led', contrast: 0.85, flicker: 0, flickerHz: 100, noiseHz: 0.12, mismatch: 0.12 },
  { name: 'natural', contrast: 1.1, flicker: 0, flickerHz: 100, noiseHz: 0.04, mismatch: 0.09 },
];

/** @throws {ReproError} `simulate-options` if DVS128 Gesture has no such light */
export function findLight(name: string): Light {
  const light = LIGHTS.find((candidate) => candidate.name === name);
  if (light !== undefined) return light;
  throw new ReproError('simulate-options', `simulate.lights: there is no light "${name}".`, {
    fix: `The lights of DVS128 Gesture are ${LIGHTS.map((known) => known.name).join(', ')}.`,
  });
}
