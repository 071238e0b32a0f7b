/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The page's colours as numbers, for canvases; drawings in SVG and HTML use the CSS variables themselves. */
export interface Palette {
  readonly ink: Rgb;
  readonly muted: Rgb;
  readonly tint: Rgb;
  readonly surface: Rgb;
  /** ON events, and potentials above rest. */
  readonly on: Rgb;
  /** OFF events, and potentials below rest. */
  readonly off: Rgb;
  readonly tau: Rgb;
}

/** Reads the colours that the page has now; read them again when the reader's colour scheme changes. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): Rgb => {
    const hex = Number.parseInt(style.getPropertyValue(`--${name}`).trim().slice(1), 16);
    return [hex >> 16, (hex >> 8) & 255, hex & 255];
  };
  return {
    ink: read('ink'),
    muted: read('muted'),
    tint: read('tint'),
    surface: read('surface'),
    on: read('vermilion'),
    off: read('blue'),
    tau: read('cyan'),
  };
}

export function cssColor([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** @param share 0: the first, 1: the second */
export function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const channel = (i: 0 | 1 | 2) => Math.round(one[i] + (other[i] - one[i]) * share);
  return [channel(0), channel(1), channel(2)];
}

/** A colour between stops at even distances. @param place 0 to 1 */
export function ramp(stops: readonly Rgb[], place: number): Rgb {
  const at = Math.min(Math.max(place, 0), 1) * (stops.length - 1);
  const before = Math.min(Math.floor(at), stops.length - 2);
  return mix(stops[before]!, stops[before + 1]!, at - before);
}

/** As in the memory of `ImageData` on a little-endian machine. */
export function packPixel([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
