import { ref } from 'lit-html/directives/ref.js';

/** The CSS variables of scales, from the lowest value to the highest, at even distances. `on` and `off`: brighter and darker, by their number. */
const STOPS = {
  spikes: ['tint', 'ink'],
  potential: ['blue', 'tint', 'vermilion'],
  tau: ['tint', 'cyan', 'ink'],
  on: ['tint', 'vermilion'],
  off: ['tint', 'blue'],
} as const;

/** Colours of a scale, and after them that of a spike. */
export const LEVELS = 256;

/** Pixels of `ImageData`, [LEVELS + 1]. */
export type Palette = Readonly<Record<keyof typeof STOPS, Uint32Array>>;

/** Reads the colours that the page has now; read them again when the reader's colour scheme changes. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [LEVELS + 1, 1];
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const read = (kind: keyof typeof STOPS) => {
    const stops = STOPS[kind].map((name) => style.getPropertyValue(`--${name}`));
    const gradient = context.createLinearGradient(0, 0, LEVELS, 0);
    for (const [i, color] of stops.entries()) gradient.addColorStop(i / (stops.length - 1), color);
    context.fillStyle = gradient;
    context.fillRect(0, 0, LEVELS, 1);
    context.fillStyle = style.getPropertyValue('--ink');
    context.fillRect(LEVELS, 0, 1, 1);
    return new Uint32Array(context.getImageData(0, 0, LEVELS + 1, 1).data.buffer);
  };
  return {
    ...{ spikes: read('spikes'), potential: read('potential'), tau: read('tau') },
    ...{ on: read('on'), off: read('off') },
  };
}

/** A scale as CSS. */
export function gradientOf(kind: keyof typeof STOPS): string {
  return `linear-gradient(to right, ${STOPS[kind].map((name) => `var(--${name})`)})`;
}

/** `<canvas ${fillPixels(width, pixels)}>`; style sheets make it larger. @param pixels of `ImageData`, row by row */
export function fillPixels(width: number, pixels: Uint32Array<ArrayBuffer>) {
  return ref((canvas) => putPixels(canvas, width, pixels));
}

export function putPixels(canvas: unknown, width: number, pixels: Uint32Array<ArrayBuffer>): void {
  if (!(canvas instanceof HTMLCanvasElement)) return;
  const height = pixels.length / width;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}
