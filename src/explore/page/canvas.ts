/** The page's colours, since canvases know no variables; drawings in SVG and HTML use the variables themselves. */
export interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly tint: string;
  readonly surface: string;
  /** ON events, and potentials above rest. */
  readonly on: string;
  /** OFF events, and potentials below rest. */
  readonly off: string;
  readonly tau: string;
}

/** Reads the colours that the page has now; read them again when the reader's colour scheme changes. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
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

/** From one end of a scale to the other through some colours at even distances: pixels of `ImageData`, [levels]. */
export function listColors(stops: readonly string[], levels: number): Uint32Array {
  const context = makeCanvas(levels, 1).getContext('2d')!;
  const gradient = context.createLinearGradient(0, 0, levels, 0);
  for (const [i, color] of stops.entries()) gradient.addColorStop(i / (stops.length - 1), color);
  context.fillStyle = gradient;
  context.fillRect(0, 0, levels, 1);
  return new Uint32Array(context.getImageData(0, 0, levels, 1).data.buffer);
}

/** A canvas that is not on the page. */
export function makeCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** Gives a canvas a size in pixels of the screen, and empties it. */
export function prepareCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')!;
  if (canvas.width === width && canvas.height === height) context.clearRect(0, 0, width, height);
  else {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.style.width = `${width / devicePixelRatio}px`;
  canvas.style.height = `${height / devicePixelRatio}px`;
  return context;
}

/** The width that a canvas may take, in CSS px: that of its parent, which has no padding. */
export function roomOf(canvas: HTMLCanvasElement): number {
  return canvas.parentElement?.clientWidth ?? 0;
}
