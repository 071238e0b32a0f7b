/** One pixel for each value of an array; drawn enlarged. */
export interface PixelSheet {
  readonly source: HTMLCanvasElement;
  readonly pixels: Uint32Array;
  /** Takes over what was written to `pixels`. */
  readonly update: () => void;
}

const sheets = new WeakMap<HTMLCanvasElement, PixelSheet>();

/** The sheet behind a canvas, made once for each size: new ones at every frame would keep the browser busy collecting them. */
export function sheetBehind(canvas: HTMLCanvasElement, width: number, height: number): PixelSheet {
  const known = sheets.get(canvas);
  if (known?.source.width === width && known.source.height === height) return known;
  const source = document.createElement('canvas');
  source.width = width;
  source.height = height;
  const image = new ImageData(width, height);
  const context = source.getContext('2d')!;
  const sheet = {
    source,
    pixels: new Uint32Array(image.data.buffer),
    update: () => context.putImageData(image, 0, 0),
  };
  sheets.set(canvas, sheet);
  return sheet;
}

/** Gives a canvas a size in pixels of the screen, and empties it. */
export function prepareCanvas(
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
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

/** The width that a canvas may take: that of its parent, which has no padding. */
export function roomOf(canvas: HTMLCanvasElement): number {
  return canvas.parentElement?.clientWidth ?? 0;
}
