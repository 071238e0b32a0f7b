import { drawCapsule, type LogImage, type Surface } from './image.ts';
import type { Person } from './person.ts';
import type { Arm, Pose } from './pose.ts';
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
